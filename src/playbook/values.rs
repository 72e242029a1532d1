//! YAML that is data, not a workflow: parameter files and the content of `write_file`. The only
//! file that names `serde_yaml`.

use indexmap::IndexMap;

use crate::expr::Value;

/// The values of a parameter file: a YAML or JSON mapping.
///
/// # Errors
/// What is wrong with it.
pub fn read_values(text: &str) -> Result<IndexMap<String, Value>, String> {
    let values: IndexMap<String, serde_json::Value> =
        serde_yaml::from_str(text).map_err(|error| error.to_string())?;
    Ok(values.into_iter().map(|(name, value)| (name, Value::from(value))).collect())
}

/// A YAML or JSON document as block YAML.
///
/// # Errors
/// It is no YAML.
pub fn yaml_block(text: &str) -> Result<String, String> {
    let value: serde_yaml::Value =
        serde_yaml::from_str(text).map_err(|error| format!("the content is not YAML: {error}"))?;
    serde_yaml::to_string(&value).map_err(|error| error.to_string())
}
