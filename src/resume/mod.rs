//! Which session an id means, and what a resume keeps, repeats and adds (SPEC 7.3).
