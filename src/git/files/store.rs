//! The repository of our own in which the files of a working tree are kept: where it is, and how git
//! is run on it so that nothing of the user's configuration counts.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::git::command::{Answer, Call};
use crate::git::{GitError, Repository};

/// Bytes as they are: no attribute of the user's files changes them on the way. Here the
/// attributes of highest precedence stand.
const ATTRIBUTES: &str = "* -text -eol -crlf -filter -ident !working-tree-encoding\n";

/// What git does not take from anyone's configuration.
const SETTINGS: [&str; 13] = [
    "core.autocrlf=false",
    "core.safecrlf=false",
    "core.fileMode=true",
    "core.symlinks=true",
    "core.protectNTFS=false",
    "core.protectHFS=false",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "core.compression=1",
    "core.fsync=loose-object,pack,reference",
    "core.fsyncMethod=batch",
];

/// Written last when the repository is made.
const READY: &str = "prodigy-files";

/// Below it each holder has a directory of references.
pub(super) const HOLDERS: &str = "refs/sessions";

/// Keeps the files of one working tree.
pub struct FileStore {
    pub(super) repository: Repository,
    /// The git directory of our own.
    pub(super) place: PathBuf,
    /// The user's file of ignore rules for all repositories.
    pub(super) user_rules: OnceLock<Option<PathBuf>>,
}

/// The repository is ready, and no one else works on it.
pub(super) struct Locked<'s> {
    pub(super) store: &'s FileStore,
    _lock: File,
}

impl FileStore {
    /// Files of `repository` are kept in `place`; nothing is made before it is needed.
    #[must_use]
    pub fn new(repository: Repository, place: PathBuf) -> Self {
        Self { repository, place, user_rules: OnceLock::new() }
    }

    /// The working tree.
    #[must_use]
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// True when files were ever kept here.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.place.join(READY).exists()
    }

    /// Waits for others that work on it; makes the repository when it is missing.
    pub(super) fn lock(&self) -> Result<Locked<'_>, GitError> {
        fs::create_dir_all(&self.place).map_err(GitError::io("make", &self.place))?;
        let path = self.place.join("prodigy-lock");
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true).mode(0o600);
        let lock = options.open(&path).map_err(GitError::io("open", &path))?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive)
            .map_err(|error| GitError::io("lock", &path)(error.into()))?;
        let locked = Locked { store: self, _lock: lock };
        locked.prepare()?;
        Ok(locked)
    }
}

impl Locked<'_> {
    fn prepare(&self) -> Result<(), GitError> {
        let place = &self.store.place;
        if !self.store.exists() {
            let format = self.store.repository.object_format()?;
            let format = format!("--object-format={format}");
            self.git(&["init", "--quiet", "--template=", &format], None)?;
            self.write("info/attributes", ATTRIBUTES.as_bytes())?;
        }
        let objects = self.store.repository.common_dir.join("objects");
        let objects = objects.canonicalize().map_err(GitError::io("find", &objects))?;
        self.write("objects/info/alternates", &alternates(&objects))?;
        self.write(READY, b"1\n")?;
        // Only a process that was killed leaves them: we hold the lock.
        for leftover in ["index.lock", "index.goal", "index.goal.lock"] {
            let _ = fs::remove_file(place.join(leftover));
        }
        Ok(())
    }

    /// A path in our repository.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.store.place.join(name)
    }

    /// Writes a file of the repository if it is not so already.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), GitError> {
        let path = self.path(name);
        if fs::read(&path).is_ok_and(|known| known == bytes) {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(GitError::io("make", parent))?;
        }
        fs::write(&path, bytes).map_err(GitError::io("write", &path))
    }

    /// Runs git on our repository and the user's working tree.
    pub(super) fn git(&self, args: &[&str], input: Option<Vec<u8>>) -> Result<Vec<u8>, GitError> {
        self.git_with(&[], args, input)
    }

    /// The same with variables that point elsewhere.
    pub(super) fn git_with(
        &self,
        env: &[(&str, &OsStr)],
        args: &[&str],
        input: Option<Vec<u8>>,
    ) -> Result<Vec<u8>, GitError> {
        let answer = self.ask(env, args, input)?;
        if answer.code == 0 { Ok(answer.output) } else { Err(answer.into_error(args)) }
    }

    /// The same for its exit code too.
    pub(super) fn ask(
        &self,
        env: &[(&str, &OsStr)],
        args: &[&str],
        input: Option<Vec<u8>>,
    ) -> Result<Answer, GitError> {
        self.call(env, input).answer(&with_settings(args))
    }

    /// A run of git that is still to be told its arguments.
    pub(super) fn call(&self, env: &[(&str, &OsStr)], input: Option<Vec<u8>>) -> Call<'_> {
        Call {
            directory: &self.store.repository.top,
            env: self.environment(env),
            input,
            stop: &self.store.repository.stop,
        }
    }

    fn environment(&self, further: &[(&str, &OsStr)]) -> Vec<(OsString, OsString)> {
        let place = &self.store.place;
        let mut env: Vec<_> =
            std::env::vars_os().filter(|(name, _)| !name.as_bytes().starts_with(b"GIT_")).collect();
        let nowhere = place.join("nowhere");
        let settings: [(&str, &OsStr); 11] = [
            ("GIT_DIR", place.as_os_str()),
            ("GIT_WORK_TREE", self.store.repository.top.as_os_str()),
            ("GIT_CONFIG_NOSYSTEM", "1".as_ref()),
            ("GIT_CONFIG_SYSTEM", "/dev/null".as_ref()),
            ("GIT_CONFIG_GLOBAL", "/dev/null".as_ref()),
            ("GIT_ATTR_NOSYSTEM", "1".as_ref()),
            ("GIT_TERMINAL_PROMPT", "0".as_ref()),
            ("GIT_NO_LAZY_FETCH", "1".as_ref()),
            ("HOME", nowhere.as_os_str()),
            ("XDG_CONFIG_HOME", nowhere.as_os_str()),
            ("LC_ALL", "C".as_ref()),
        ];
        let settings = settings.iter().chain(further);
        env.extend(settings.map(|(name, value)| ((*name).into(), (*value).to_owned())));
        env
    }
}

/// The arguments of a run on our repository.
pub(super) fn with_settings<'a>(args: &[&'a str]) -> Vec<&'a str> {
    SETTINGS.iter().flat_map(|setting| ["-c", setting]).chain(args.iter().copied()).collect()
}

/// The file that names another store of objects.
fn alternates(objects: &Path) -> Vec<u8> {
    let bytes = objects.as_os_str().as_bytes();
    let plain = !bytes.contains(&b'\n') && !bytes.starts_with(b"\"") && !bytes.starts_with(b"#");
    let mut line = if plain { bytes.to_vec() } else { quoted(bytes) };
    line.push(b'\n');
    line
}

/// As C writes it.
fn quoted(bytes: &[u8]) -> Vec<u8> {
    let inner = bytes.iter().flat_map(|byte| match byte {
        b'"' | b'\\' => vec![b'\\', *byte],
        b'\n' => b"\\n".to_vec(),
        _ => vec![*byte],
    });
    std::iter::once(b'"').chain(inner).chain(std::iter::once(b'"')).collect()
}

/// A path as git prints it with `-z`.
pub(super) fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}

/// Paths as git reads them with `-z`.
pub(super) fn list_of<'p>(paths: impl Iterator<Item = &'p Path>) -> Vec<u8> {
    let mut list = Vec::new();
    for path in paths {
        list.extend_from_slice(path.as_os_str().as_bytes());
        list.push(0);
    }
    list
}

/// The one line that git answered.
pub(super) fn line_of(output: &[u8]) -> String {
    String::from_utf8_lossy(output).trim().to_owned()
}
