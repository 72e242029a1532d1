//! Steps that do anything to files, drawn from a seed.

use std::fmt::Write as _;

/// A random number generator that a printed seed repeats.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }

    fn path(&mut self) -> String {
        let directory = self.one_of(&["", "", "d1/", "d1/d2/", "d 3/", "out/"]);
        let file = self.one_of(&["a", "b", "c", "x.log", "y.log", "z.tmp", "ünï code"]);
        format!("{directory}{file}")
    }

    /// A few commands of a shell; what cannot be done is left out.
    pub fn script(&mut self, number: usize) -> String {
        let mut script = String::from("exec 2>/dev/null\nmkdir -p d1/d2 'd 3' out\n");
        for _ in 0..=self.below(6) {
            let line = self.line(number);
            let _ = writeln!(script, "{line} || true");
        }
        script
    }

    fn line(&mut self, number: usize) -> String {
        let (path, other) = (self.path(), self.path());
        let salt = self.below(1_000_000);
        match self.below(24) {
            0..=5 => format!("echo text {number} {salt} > '{path}'"),
            6..=7 => format!("echo more {salt} >> '{path}'"),
            8 => format!("printf '\\000\\377\\r\\n{salt}' > '{path}'"),
            9..=10 => format!("rm -f '{path}'"),
            11 => format!("mv '{path}' '{other}'"),
            12 => format!("chmod +x '{path}'"),
            13 => format!("chmod 600 '{path}'"),
            14 => format!("ln -sfn '{other}' '{path}'"),
            15 => "rm -rf d1 && ln -s 'd 3' d1".to_owned(),
            16 => "rm -rf d1 && echo a file now > d1".to_owned(),
            17 => "rm -rf d1 && mkdir -p d1/d2 && echo back > d1/d2/a".to_owned(),
            18 => "printf '*.log\\n' > .gitignore".to_owned(),
            19 => "printf '*.tmp\\nout/\\n' > .gitignore".to_owned(),
            20 => "rm -f .gitignore".to_owned(),
            21 => format!("git add -f '{path}'"),
            22 => format!("git add -A && git commit -q -m 'work {number} {salt}'"),
            _ => "git stash -q && git stash apply -q".to_owned(),
        }
    }
}
