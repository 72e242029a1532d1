//! `capture_output`, `capture`, `capture_format`, `capture_streams` (SPEC 3.3).

use crate::playbook::model::{Capture, CaptureFormat, CaptureStreams};
use crate::playbook::reading::{Field, Fields, Reader};
use crate::playbook::yaml::Kind;

const FORMATS: [(&str, CaptureFormat); 6] = [
    ("string", CaptureFormat::String),
    ("text", CaptureFormat::String),
    ("json", CaptureFormat::Json),
    ("lines", CaptureFormat::Lines),
    ("number", CaptureFormat::Number),
    ("boolean", CaptureFormat::Boolean),
];

/// What of a step is captured, and under which name.
pub fn capture(reader: &Reader, fields: &mut Fields<'_>) -> Capture {
    let output = fields.take("capture_output");
    let capture = fields.take("capture");
    let from_output = output.and_then(|field| name_or_flag(reader, field));
    let from_capture = capture.and_then(|field| name_or_flag(reader, field));
    if let (Some(first), Some(second), Some(field)) = (&from_output, &from_capture, capture)
        && first != second
    {
        reader.error_with_help(
            field.key,
            "`capture_output` and `capture` give two names",
            "keep one of them",
        );
    }
    Capture {
        name: from_output.or(from_capture),
        format: fields.take("capture_format").and_then(|field| reader.choice(field, &FORMATS)),
        streams: fields
            .take("capture_streams")
            .and_then(|field| streams(reader, field))
            .unwrap_or(CaptureStreams { stdout: true, stderr: false }),
    }
}

/// A name; `true` and `false` give none (the output is always known as `${shell.output}`).
fn name_or_flag(reader: &Reader, field: Field<'_>) -> Option<String> {
    match (Kind::of(field.value), field.value.text()) {
        (Kind::Bool(_), _) | (Kind::Text, Some("true" | "false")) => None,
        _ => {
            let name = reader.name(field);
            if name.is_none() {
                reader.lose_names();
            }
            name
        }
    }
}

/// `stdout`, `stderr`, `both`, several with commas, a list, or a mapping of flags. What else
/// older files name there (exit_code, success, duration) is always known.
fn streams(reader: &Reader, field: Field<'_>) -> Option<CaptureStreams> {
    let mut streams = CaptureStreams { stdout: false, stderr: false };
    let mut only_outcome = false;
    if Kind::of(field.value) == Kind::Map {
        let mut fields = Fields::open(reader, field.value, "`capture_streams`")?;
        streams.stdout = fields.take("stdout").and_then(|field| reader.flag(field)).unwrap_or(true);
        streams.stderr = reader.flag_or_false(fields.take("stderr"));
        for name in ["exit_code", "success", "duration"] {
            let Some(flag) = fields.take(name) else { continue };
            if reader.flag(flag) == Some(false) {
                let message = format!("`{name}` of a step is always known");
                reader.error_with_help(flag.key, message, "remove it");
            }
            only_outcome = true;
        }
        fields.finish();
    } else {
        let words = reader.texts(field);
        for word in words.iter().flat_map(|text| text.split(',')).map(str::trim) {
            match word {
                "stdout" => streams.stdout = true,
                "stderr" => streams.stderr = true,
                "both" | "all" => streams = CaptureStreams { stdout: true, stderr: true },
                "exit_code" | "success" | "duration" => only_outcome = true,
                _ => {
                    reader.error_with_help(
                        field.value,
                        format!("`capture_streams` cannot be `{word}`"),
                        "one of: stdout, stderr, both",
                    );
                    return None;
                }
            }
        }
    }
    if !streams.stdout && !streams.stderr && !only_outcome {
        reader.error_with_help(
            field.value,
            "`capture_streams` captures nothing",
            "name stdout, stderr or both",
        );
    }
    Some(streams)
}
