//! What the machine says: memory, disks, rights, programs, stored data, git.

use super::{Rule, json, said};
use crate::session::FailureClass::{
    CorruptState, DiskFull, MergeConflict, MissingTool, OutOfMemory, Permission, Timeout, Unknown,
};

pub(super) const MACHINE: &[Rule] = &[
    // Resources
    said(
        Unknown,
        12.0,
        r"limit for number of file watchers|inotify",
        "too many file watchers, though the system calls it ENOSPC",
    ),
    said(
        Unknown,
        12.0,
        r": unbound variable$|: parameter (not set|null or not set)$",
        "a variable of the shell is not set, though it ends as if a program were missing",
    ),
    said(
        Unknown,
        9.5,
        r"does not appear to be a git repository",
        "the remote is none, though git calls it unreadable",
    ),
    said(DiskFull, 11.0, r"no space left on device|\bENOSPC\b", "the disk is full"),
    said(DiskFull, 11.0, r"disk quota exceeded|\bEDQUOT\b", "the disk quota is used up"),
    // How an assembler or a runtime quotes the system.
    json(
        DiskFull,
        10.0,
        r": ['\x22](no space left on device|disk quota exceeded)['\x22]$|\bkind: (StorageFull|QuotaExceeded)\b",
        "the disk is full",
    ),
    said(
        DiskFull,
        9.0,
        r"wrote only \d+ of \d+ bytes|insufficient (disk )?space|(not|n't have) enough (free |disk )*space|(disk|file ?system) (is )?full",
        "the disk is full",
    ),
    said(
        OutOfMemory,
        10.0,
        r"cannot allocate memory|memory allocation of \d+ bytes failed|\bENOMEM\b|std::bad_alloc",
        "an allocation failed",
    ),
    said(
        OutOfMemory,
        10.0,
        r"(heap|java heap|virtual memory|ran) (space|out of memory|exhausted)|OutOfMemoryError|^(fatal error: )?out of memory|\b\w*MemoryError\b|unable to allocate [\d.]+ [kmgt]i?b|failed to allocate memory|allowed memory size of \d+ bytes|could not reserve enough space|insufficient memory|\b(buffer|memory|heap) allocation failed|\bmemory (usage )?limit (is|was|has been) (too low|exceeded|reached)|\bnot enough memory|\bkind: OutOfMemory\b",
        "it ran out of memory",
    ),
    said(
        OutOfMemory,
        12.0,
        r"OOMKilled|oom-kill|killed signal terminated program|\b(signal|signals|by|with)\b.{1,12}\bSIGKILL\b|\b(exit(ed)?|ended|died|failed|stopped|terminated|returned)( with| by)?( (exit )?(code|status))? 137\b",
        "the system killed it, likely for memory",
    ),
    said(OutOfMemory, 8.0, r"(^|[: ])killed( +\S.*)?$", "the system killed it, likely for memory"),
    // Time
    said(
        Timeout,
        9.0,
        r"\bTimeoutExpired\b|\btimed out after \d|(context )?deadline[ _]exceeded|statement timeout|(^|[.\[])Timeout(Error|Exception)\b|aborted due to timeout|\btimed out (while )?waiting\b|\bgave up waiting\b|`Err` value: (RecvTimeout|Timeout|Elapsed)\b|Timeout::Error|lock wait timeout exceeded|(execution |processor |cpu )?time ?limit (was |of \S+ \S+ )?(exceeded|reached)|maximum execution time of",
        "it took longer than it was allowed to",
    ),
    said(Timeout, 9.0, r"^make(\[\d+\])?: \*\*\* .* Error 124$", "`timeout` stopped it"),
    // Programs and permissions
    said(
        MissingTool,
        11.0,
        r"command not found|^(\S*sh|\S+): (line )?(\d+: )?[^: ]+: not found$|executable file not found in|is not recognized as an internal|linker .{1,60} not found|\bspawn(Sync)? \S+ ENOENT|cannot run program|no such (command|subcommand)|is not a git command|\b(can't|cannot|could not|failed to) (exec(ute)?|run|spawn|start|launch) .{1,80}: ?(execvp: ?)?no such file",
        "a program is missing",
    ),
    said(
        MissingTool,
        9.5,
        r"^(/usr/bin/)?env: .{1,80}: no such file or directory|bad interpreter|required file not found|^make: \S+: no such file|(python\S*|node): no module named|program not found|could not find (program|executable|tool)|could not determine executable to run|npx canceled|^(find|xargs|nohup|nice|setsid|stdbuf): ['‘]?[^/\s'’]+['’]?: no such file|\b(is|but) (required but )?not (installed|found in (the |your )?\$?PATH)\b|\bplease (first )?install \S|\bno (acceptable|suitable|usable) .{1,40} found in\b|\b\w+_HOME\b.{0,30} (is )?not (set|defined)|\bin [`'](Kernel#)?(exec|spawn|popen\w*|system|`)'.*no such file",
        "a program is missing",
    ),
    // cmake calls it an error of the build.
    said(
        MissingTool,
        12.0,
        r"unable to find a build program|\bCMAKE_\w+_COMPILER (not set|could be found)|\bno CMAKE_\w+_COMPILER",
        "a program is missing",
    ),
    said(MissingTool, 8.5, r"\bin _execute_child$", "a program is missing"),
    said(
        Permission,
        9.0,
        r"permission denied|\bEACCES\b|operation not permitted|\bEPERM\b|access is denied",
        "the file system or system refuses it",
    ),
    said(
        Permission,
        9.0,
        r"read-?only (file ?system|database)|nio\.file\.AccessDeniedException|\bEROFS\b|must be (run as )?root|are you root|insufficient (permissions|privileges)|dubious ownership|must be (superuser|owner of)",
        "this user may not do that",
    ),
    // git and state
    said(
        MergeConflict,
        11.0,
        r"^CONFLICT \(|automatic merge failed|merge conflict in|fix conflicts and then|unmerged (paths|files)|could not (apply|revert) [0-9a-f]{7}|needs merge$|patch (failed|does not apply)|\bhunks? (#\d+ )?failed\b|would be overwritten by (merge|checkout|rebase|cherry-pick|pull)|unresolved (merge )?conflict|conflicts while merging|\b[1-9]\d* files? unresolved|not possible to fast-forward|divergent branches|unrelated histories",
        "git could not merge",
    ),
    // What `diff3`, `git merge-file` and others print instead of a word.
    said(MergeConflict, 6.0, r"^(<{7}|>{7}) \S", "what was merged holds markers of conflicts"),
    said(
        CorruptState,
        10.0,
        r"object (file )?\S+ is (empty|corrupt)|loose object .* is corrupt|^(fatal|error): bad (object|config|tree|ref)|cannot read (commit |tree |blob )?object|object corrupt or missing|nonexistent object|branch appears to be broken|index file (smaller|corrupt)|bad (index file|signature) |data stream error|pack has \S* ?(bad|unresolved)|database disk image is malformed|(file|it) is not a database|failed to parse lock file|\bdamaged: |pack-\S+ does not match index",
        "stored data is damaged",
    ),
    said(
        CorruptState,
        9.5,
        r"^(b?gzip|gunzip|zcat|xz|unxz|zstd|bzip2|lz4|tar|unzip|bsdtar|7z)\b.*(unexpected (end|eof)|invalid compressed data|not in \S+ format|corrupt|cannot find zipfile)|unexpected eof in archive|^(zstd|lz4|xz|bzip2|7z|unrar)\b.*(unsupported|unknown) format|\bdecompression (error|failed)|bad crc\b|crc[- ]?(error|mismatch)|central[- ]directory signature not found|compressed file ended before|(not|n't)( look like)? (a|an|in) (valid )?(zip|gzip|tar|bzip2|xz|7z)\b|\bfile ends unexpectedly|\bBadZipFile|\bZipException|\bUnpicklingError|data was truncated|^ERROR: Wheel \S+ located at \S+ is invalid",
        "an archive is damaged",
    ),
    said(
        CorruptState,
        9.5,
        r"(checksum|hash|digest|integrity)(es|s|sum)?( check)? (mismatch|failed|changed|(does not|doesn't|did not) match)|do(es)? ?n[o']t match (the )?(checksum|hash|digest)|\bchecksum for \S+ \S+ changed|sha(256|512)\S* mismatch|\b(corrupt(ed)?|damaged|truncated) (state|cache|index|database|checkpoint|journal|archive|lock ?file|jarfile|image|(class )?file)|\bfile (is )?(truncated|too short)$|\bEINTEGRITY\b|unexpected end of (archive|file in archive)",
        "stored data is damaged",
    ),
];
