//! The command line: one file per subcommand (SPEC 2).
