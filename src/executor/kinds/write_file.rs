//! `write_file:`: a whole file, or none of it.

use crate::executor::attempt::{Attempt, Done};
use crate::executor::halt::Halt;
use crate::executor::run::Run;
use crate::playbook::model::{FileFormat, WriteFile};
use crate::session::{FailureKind, Report};

impl<'a> Run<'a> {
    /// One attempt of writing a file.
    pub(in crate::executor) fn write_file(
        &self,
        attempt: &Attempt<'_, 'a>,
        file: &'a WriteFile,
    ) -> Result<Done, Halt> {
        let Attempt { frame, step, address, .. } = *attempt;
        let started = frame.stop.active();
        let prepared = self.render(&file.path, frame, address).and_then(|path| {
            let (content, _) = file.content.evaluate(&self.names(frame, address))?;
            Ok((self.directory(frame, step, address)?.join(path), content))
        });
        let (path, content) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return Ok(Done::failed(self.unresolved("write_file", &error))),
        };
        self.start(attempt, &format!("write_file {}", path.display()), None)?;
        let bytes = match laid_out(content.to_bytes(), file.format) {
            Ok(bytes) => bytes,
            Err(message) => {
                return Ok(Done::failed(self.failure(FailureKind::File, &message)));
            }
        };
        if file.create_dirs
            && let Some(parent) = path.parent()
            && let Err(error) = std::fs::create_dir_all(parent)
        {
            let message = format!("cannot make {}: {error}", parent.display());
            return Ok(Done::failed(self.failure(FailureKind::File, &message)));
        }
        if let Err(error) = crate::store::replace_file(&path, &bytes, file.mode) {
            let missing = path.parent().is_some_and(|parent| !parent.exists());
            let hint =
                if missing { " (write `create_dirs: true` to make its directory)" } else { "" };
            let message = format!("{error}{hint}");
            return Ok(Done::failed(self.failure(FailureKind::File, &message)));
        }
        let took = frame.stop.active().saturating_sub(started);
        let mut done = Done {
            report: Report {
                exit_code: Some(0),
                duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
                ..Report::default()
            },
            ..Done::default()
        };
        done.report.stdout.bytes = bytes.len() as u64;
        done.report.stdout.text = self.keep_text(bytes)?;
        self.capture(step, &mut done);
        Ok(done)
    }
}

/// The content in its format.
fn laid_out(content: Vec<u8>, format: FileFormat) -> Result<Vec<u8>, String> {
    match format {
        FileFormat::Text => Ok(content),
        FileFormat::Json => {
            let json: serde_json::Value = serde_json::from_slice(&content)
                .map_err(|error| format!("the content is not JSON: {error}"))?;
            let mut text = serde_json::to_vec_pretty(&json).map_err(|error| error.to_string())?;
            text.push(b'\n');
            Ok(text)
        }
        FileFormat::Yaml => {
            let text = String::from_utf8(content).map_err(|_| "the content is not UTF-8")?;
            crate::playbook::yaml_block(&text).map(String::into_bytes)
        }
    }
}
