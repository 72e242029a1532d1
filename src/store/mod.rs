//! The disk: paths, locks, journals, snapshots, archives (SPEC 7).
