//! `write_file:` (SPEC 3.3).

use crate::expr::Template;
use crate::playbook::model::{FileFormat, WriteFile};
use crate::playbook::reading::{Field, Fields, Reader};
use crate::playbook::yaml::{Content, Kind, Style};

const FORMATS: [(&str, FileFormat); 3] =
    [("text", FileFormat::Text), ("json", FileFormat::Json), ("yaml", FileFormat::Yaml)];

/// A file to write.
pub fn write_file(reader: &Reader, field: Field<'_>) -> Option<WriteFile> {
    let mut fields = Fields::open(reader, field.value, "`write_file`")?;
    let path = fields.take("path");
    let content = fields.take("content");
    for (name, given) in [("path", path), ("content", content)] {
        if given.is_none()
            && field.value.entry(name).is_none()
            && !fields.probably_meant(&["path", "content"])
        {
            reader.error(field.key, format!("`write_file` has no `{name}`"));
        }
    }
    let path = path.and_then(|field| reader.filled_template(field));
    let content = content.and_then(|field| file_content(reader, field));
    let format = fields.take("format").and_then(|field| reader.choice(field, &FORMATS));
    let mode = fields.take("mode").and_then(|field| mode(reader, field));
    let create_dirs = reader.flag_or_false(fields.take("create_dirs"));
    fields.finish();
    Some(WriteFile {
        path: path?,
        content: content?,
        format: format.unwrap_or(FileFormat::Text),
        mode,
        create_dirs,
    })
}

fn file_content(reader: &Reader, field: Field<'_>) -> Option<Template> {
    if matches!(Kind::of(field.value), Kind::Map | Kind::List) {
        let found = Kind::of(field.value).with_article();
        let message = format!("`content` must be text, not {found}");
        reader.error_with_help(field.value, message, "write `content: |` and the text below it");
        return None;
    }
    reader.template(field)
}

/// Permission bits in octal. A bare `644` is refused: YAML means six hundred and forty-four (DECISIONS B38).
fn mode(reader: &Reader, field: Field<'_>) -> Option<u32> {
    let text = reader.text(field)?;
    let plain = matches!(field.value.content, Content::Scalar(_, Style::Plain));
    let digits = text.strip_prefix("0o").unwrap_or(text);
    if plain && Kind::of(field.value) == Kind::Number && !digits.starts_with('0') && digits == text
    {
        reader.error_with_help(
            field.value,
            format!("`mode: {text}` is a decimal number"),
            format!("write `mode: \"0{text}\"`"),
        );
        return None;
    }
    let bits = u32::from_str_radix(digits, 8).ok().filter(|bits| *bits <= 0o7777);
    if bits.is_none() {
        reader.error_with_help(
            field.value,
            format!("`mode` must be octal permission bits, not `{text}`"),
            "write for example `mode: \"0644\"`",
        );
    }
    bits
}
