//! Lines of the stream that are not one JSON object: two on one line, text in front of one, or one written
//! into the middle of another (seen with `rate_limit_event`, claude-code#49640).

use serde_json::Value as Json;

/// What could be read of a line that is not one object.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Pieces {
    /// Whole objects in the order they stand there.
    pub(super) objects: Vec<Json>,
    /// The beginning of an object whose end may be the next line.
    pub(super) head: Option<Vec<u8>>,
}

/// What every event starts with; inside a string its quotes would be escaped.
const START: &[u8] = br#"{"type":""#;

/// Finds whole objects in a line, and the beginning of one that they were written into.
pub(super) fn pieces(line: &[u8]) -> Pieces {
    let mut found = Pieces::default();
    let mut outside = Vec::new();
    let mut at = 0;
    while let Some(start) = find(line.get(at..).unwrap_or_default()).map(|offset| at + offset) {
        outside.extend_from_slice(&line[at..start]);
        match object(&line[start..]) {
            Some((json, length)) => {
                found.objects.push(json);
                at = start + length;
            }
            None => {
                outside.extend_from_slice(&line[start..start + START.len()]);
                at = start + START.len();
            }
        }
    }
    outside.extend_from_slice(line.get(at..).unwrap_or_default());
    if let Some(start) = find(&outside) {
        // The inner object may have ended in the same line: what is around it is whole again.
        match object(&outside[start..]) {
            Some((json, _)) => found.objects.push(json),
            None => found.head = Some(outside.split_off(start)),
        }
    }
    found
}

/// The JSON object at the beginning of some bytes, and its length.
pub(super) fn object(bytes: &[u8]) -> Option<(Json, usize)> {
    let mut stream = serde_json::Deserializer::from_slice(bytes).into_iter::<Json>();
    let json = stream.next()?.ok()?;
    json.is_object().then(|| (json, stream.byte_offset()))
}

fn find(bytes: &[u8]) -> Option<usize> {
    bytes.windows(START.len()).position(|window| window == START)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn two_objects_on_one_line_are_two() {
        let found = pieces(br#"{"type":"a"}{"type":"b"}"#);
        assert_eq!(found.objects, [json!({"type": "a"}), json!({"type": "b"})]);
        assert_eq!(found.head, None);
    }

    #[test]
    fn text_in_front_of_an_object_does_not_hide_it() {
        assert_eq!(pieces(br#"warning: x {"type":"a"}"#).objects, [json!({"type": "a"})]);
    }

    #[test]
    fn an_object_inside_another_leaves_the_others_beginning() {
        let found = pieces(br#"{"type":"a","text":"one {"type":"b","n":1}"#);
        assert_eq!(found.objects, [json!({"type": "b", "n": 1})]);
        assert_eq!(found.head.unwrap(), br#"{"type":"a","text":"one "#);
    }

    #[test]
    fn an_object_whole_around_another_is_kept() {
        let found = pieces(br#"{"type":"a","text":"one {"type":"b"}two"}"#);
        assert_eq!(found.objects, [json!({"type": "b"}), json!({"type": "a", "text": "one two"})]);
    }

    #[test]
    fn noise_is_nothing() {
        assert_eq!(pieces(b"Killed: 9"), Pieces::default());
        assert_eq!(pieces(b"\xff\xfe{\"x\":"), Pieces::default());
    }
}
