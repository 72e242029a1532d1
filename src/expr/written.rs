//! What everything that a file's author wrote knows of itself: its text, and where it stands.

/// For a type with the fields `source` and `place`.
macro_rules! written {
    ($type:ty) => {
        impl $type {
            /// The same, standing at `place` of its file.
            #[must_use]
            pub fn at(mut self, place: $crate::expr::Place) -> Self {
                self.place = place;
                self
            }

            /// Where it stands in its file.
            #[must_use]
            pub fn place(&self) -> $crate::expr::Place {
                self.place
            }

            /// The text as written.
            #[must_use]
            pub fn source(&self) -> &str {
                &self.source
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.source)
            }
        }
    };
}

pub(super) use written;
