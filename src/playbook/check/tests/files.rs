//! Whole files, from their text to the places of their problems.

use std::path::Path;

use crate::playbook::{LoadError, Problem, parse};

fn problems(text: &str) -> Vec<Problem> {
    match parse(Path::new("flow.yml"), text) {
        Ok(loaded) => loaded.problems,
        Err(LoadError::Problems(problems, _)) => problems,
        Err(error) => panic!("{error}"),
    }
}

/// Marks the place of each problem by `^` below its line.
fn marked(text: &str) -> String {
    let problems = problems(text);
    let mut marked = String::new();
    for (index, line) in text.lines().enumerate() {
        marked.push_str(line);
        marked.push('\n');
        for problem in problems.iter().filter(|problem| problem.at.line == index + 1) {
            marked.push_str(&" ".repeat(problem.at.column - 1));
            marked.push_str(&"^".repeat(problem.length));
            marked.push_str(&format!(" {}\n", problem.message));
        }
    }
    marked
}

#[test]
fn places_are_exact_in_every_kind_of_text() {
    let file = "\
name: places
commands:
  - claude: plain ${one}
  - claude: \"quoted ${two}\"
  - claude: 'single ${three}'
  - claude: |
      block
        ${four} deeper
      ${five}
  - claude: |2-


      ${six}
    when: ${seven} == 1
";
    assert_eq!(
        marked(file),
        "\
name: places
commands:
  - claude: plain ${one}
                    ^^^ unknown name `one`
  - claude: \"quoted ${two}\"
                      ^^^ unknown name `two`
  - claude: 'single ${three}'
                      ^^^^^ unknown name `three`
  - claude: |
      block
        ${four} deeper
          ^^^^ unknown name `four`
      ${five}
        ^^^^ unknown name `five`
  - claude: |2-


      ${six}
        ^^^ unknown name `six`
    when: ${seven} == 1
            ^^^^^ unknown name `seven`
"
    );
}

#[test]
fn a_file_without_problems_has_none() {
    let file = "\
parameters:
  environment: {type: string, default: staging, enum: [staging, production]}
variables:
  out: build/${environment}
env:
  REGION: eu
commands:
  - shell: make OUT=${out} REGION=$REGION
    id: build
    timeout: 10m
    on_failure:
      - claude: \"/fix ${error.message} ${build.stderr}\"
  - shell: find ${out} -name '*.js'
    capture_output: files
    capture_format: lines
  - foreach: ${files}
    id: minify
    do:
      - shell: minify ${item} > ${item}.min
        capture_output: size
      - shell: test ${size} != 0
  - write_file:
      path: ${out}/report.json
      content: ${minify.results}
      format: json
    when: ${build.success} and ${environment} == 'production'
finally:
  - shell: echo ${workflow.status} ${error.message:-none}
";
    assert_eq!(problems(file), Vec::new());
}
