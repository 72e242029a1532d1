//! Observers: they eat events and write for people and programs (SPEC 10).
