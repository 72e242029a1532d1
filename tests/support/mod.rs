//! A place of its own for each test: the real binary with its own home, state and working directory.

pub mod agents;
pub mod killed;
pub mod live;
pub mod messages_api;
pub mod past;

use std::ffi::OsStr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Directories that vanish at the end of the test.
pub struct Sandbox {
    root: tempfile::TempDir,
}

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    /// What killed it: to be seen where a test fails.
    #[allow(dead_code, reason = "no test asks for it")]
    pub signal: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

#[allow(dead_code, reason = "each test file uses the parts it needs")]
impl Sandbox {
    pub fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for directory in ["home", "work", "tmp"] {
            std::fs::create_dir(root.path().join(directory)).unwrap();
        }
        Self { root }
    }

    /// Everything lies in here.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// `$PRODIGY_HOME`, not made yet.
    pub fn state(&self) -> PathBuf {
        self.root().join("home/.prodigy")
    }

    /// The working directory.
    pub fn directory(&self) -> PathBuf {
        self.root().join("work")
    }

    /// Writes a file in the working directory.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Reads a file in the working directory.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.directory().join(name)).unwrap()
    }

    /// The binary with `arguments`, ready to run: no terminal, nothing of the tester's environment.
    pub fn command(&self, arguments: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_prodigy"));
        command
            .args(arguments)
            .current_dir(self.directory())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.root().join("home"))
            .env("PRODIGY_HOME", self.state())
            .env("TMPDIR", self.root().join("tmp"))
            .env("LC_ALL", "C.UTF-8")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "A Tester")
            .env("GIT_AUTHOR_EMAIL", "tester@example.com")
            .env("GIT_COMMITTER_NAME", "A Tester")
            .env("GIT_COMMITTER_EMAIL", "tester@example.com")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the binary to its end.
    pub fn run(&self, arguments: &[impl AsRef<OsStr>]) -> Ran {
        Ran::of(self.command(arguments).output().unwrap())
    }
}

#[allow(dead_code, reason = "each test file uses the parts it needs")]
impl Ran {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            signal: output.status.signal(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The same, if the exit code is `code`; else the test fails and shows everything.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// stdout as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        match serde_json::from_str(&self.stdout) {
            Ok(json) => json,
            Err(error) => panic!("{error}: {self:#?}"),
        }
    }
}
