//! Missing programs, memory, disk, and damaged state.

use super::*;

#[test]
fn missing_programs() {
    all_hold(&[
        ("nonesuch", 127, "", "sh: 1: nonesuch: not found\n", MissingTool),
        (
            "make",
            2,
            "",
            "make: cargo: No such file or directory\nmake: *** [Makefile:2: all] Error 127\n",
            MissingTool,
        ),
        ("bash run.sh", 1, "", "run.sh: line 4: jq: command not found\n", MissingTool),
        (
            "cargo nextest run",
            101,
            "",
            "error: no such command: `nextest`\n\nhelp: view all installed commands with `cargo --list`\n",
            MissingTool,
        ),
        (
            "cargo build",
            101,
            "",
            "error: linker `cc` not found\n  |\n  = note: No such file or directory (os error 2)\n\nerror: could not compile `demo` (bin \"demo\") due to 1 previous error\n",
            MissingTool,
        ),
        ("python -m pytest", 1, "", "/usr/bin/python: No module named pytest\n", MissingTool),
        (
            "./run.sh",
            126,
            "",
            "sh: 1: ./run.sh: /bin/bash^M: bad interpreter: No such file or directory\n",
            MissingTool,
        ),
        (
            "docker run x foo",
            1,
            "",
            "docker: Error response from daemon: exec: \"foo\": executable file not found in $PATH.\n",
            MissingTool,
        ),
        (
            "git lfs pull",
            1,
            "",
            "git: 'lfs' is not a git command. See 'git --help'.\n",
            MissingTool,
        ),
    ]);
}

#[test]
fn memory_and_disk() {
    all_hold(&[
        (
            "node build.js",
            134,
            "",
            "<--- Last few GCs --->\n\nFATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n 1: 0xb7c560 node::Abort()\n",
            OutOfMemory,
        ),
        (
            "python big.py",
            1,
            "",
            "Traceback (most recent call last):\n  File \"big.py\", line 1, in <module>\nMemoryError\n",
            OutOfMemory,
        ),
        (
            "cargo build",
            101,
            "",
            "error: could not compile `big` (lib)\n\nCaused by:\n  process didn't exit successfully: `rustc` (signal: 9, SIGKILL: kill)\n",
            OutOfMemory,
        ),
        (
            "java -jar x",
            1,
            "",
            "Exception in thread \"main\" java.lang.OutOfMemoryError: Java heap space\n\tat A.main(A.java:5)\n",
            OutOfMemory,
        ),
        (
            "g++ big.cc",
            1,
            "",
            "g++: fatal error: Killed signal terminated program cc1plus\ncompilation terminated.\n",
            OutOfMemory,
        ),
        ("./train", 137, "epoch 1\n", "Killed\n", OutOfMemory),
        (
            "./train | tee log",
            1,
            "",
            "run.sh: line 3:  4711 Killed                  ./train\n",
            OutOfMemory,
        ),
        (
            "tar xf a.tar",
            2,
            "",
            "tar: a/b: Cannot write: No space left on device\ntar: Exiting with failure status due to previous errors\n",
            DiskFull,
        ),
        (
            "cargo build",
            101,
            "",
            "error: failed to write `/target/x.rmeta`: No space left on device (os error 28)\n\nerror: could not compile `x` (lib) due to 1 previous error\n",
            DiskFull,
        ),
        ("cp a b", 1, "", "cp: error writing 'b': Disk quota exceeded\n", DiskFull),
        (
            "npm ci",
            1,
            "",
            "npm WARN tar TAR_ENTRY_ERROR ENOSPC: no space left on device, write\nnpm ERR! code ENOSPC\nnpm ERR! errno -28\n",
            DiskFull,
        ),
        (
            "apt-get install x",
            100,
            "",
            "E: You don't have enough free space in /var/cache/apt/archives/.\n",
            DiskFull,
        ),
    ]);
}

#[test]
fn merges_and_damage() {
    all_hold(&[
        (
            "git merge topic",
            1,
            "Auto-merging a.txt\nCONFLICT (content): Merge conflict in a.txt\nAutomatic merge failed; fix conflicts and then commit the result.\n",
            "",
            MergeConflict,
        ),
        (
            "git rebase main",
            1,
            "CONFLICT (content): Merge conflict in network_timeout.rs\n",
            "error: could not apply 1a2b3c4... Add timeout\nhint: Resolve all conflicts manually\n",
            MergeConflict,
        ),
        (
            "git apply x.patch",
            1,
            "",
            "error: patch failed: a.txt:1\nerror: a.txt: patch does not apply\n",
            MergeConflict,
        ),
        (
            "git status",
            128,
            "",
            "error: object file .git/objects/ab/cd is empty\nfatal: loose object abcd (stored in .git/objects/ab/cd) is corrupt\n",
            CorruptState,
        ),
        ("sqlite3 x.db .tables", 11, "", "Error: database disk image is malformed\n", CorruptState),
        (
            "npm ci",
            1,
            "",
            "npm ERR! code EINTEGRITY\nnpm ERR! sha512-abc integrity checksum failed when using sha512\n",
            CorruptState,
        ),
        (
            "git log",
            128,
            "",
            "error: bad signature 0x00000000\nfatal: index file corrupt\n",
            CorruptState,
        ),
    ]);
}
