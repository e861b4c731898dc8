//! Tests of the table as a whole.

use std::collections::BTreeSet;

use super::super::LINES;
use super::*;

const PROGRAMS: [Program; 2] = [Program::Validator, Program::TestValidator];

fn taken(program: Program, line: Line) -> Vec<&'static str> {
    rows(program).filter(|row| row.is_taken(line)).map(|row| row.name).collect()
}

#[test]
fn as_many_as_the_programs_have() {
    let counts = |program| LINES.map(|line| taken(program, line).len());
    assert_eq!(counts(Program::Validator), [171, 176, 189, 204, 205, 181, 184, 173, 177, 181, 184, 182]);
    assert_eq!(counts(Program::TestValidator), [39, 40, 41, 41, 42, 42, 48, 49, 49, 50, 51, 51]);
}

#[test]
fn a_name_has_one_row_in_a_line() {
    for program in PROGRAMS {
        for line in LINES {
            let names = taken(program, line);
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{program:?} {line}");
        }
        let all: Vec<&Argument> = rows(program).collect();
        for pair in all.windows(2).filter(|pair| pair[0].name == pair[1].name) {
            assert!(pair[0].gone <= pair[1].since, "{}", pair[0].name);
        }
    }
}

#[test]
fn names_in_rows_are_names_of_rows() {
    for program in PROGRAMS {
        for line in LINES {
            let names = names(program, line);
            for row in rows(program).filter(|row| names.contains(&row.name) && row.is_taken(line)) {
                let named = row.requires.iter().chain(row.conflicts);
                let gone: Vec<&str> = named.copied().filter(|name| !taken(program, line).contains(name)).collect();
                assert!(gone.is_empty(), "{} names {gone:?}, which {line} does not have", row.name);
            }
        }
    }
}

#[test]
fn what_is_not_to_be_used_has_advice() {
    let newest = LINES[LINES.len() - 1];
    for program in PROGRAMS {
        for row in rows(program) {
            let replaced = rows(program).any(|other| other.name == row.name && other.since == row.gone);
            let ends = (row.gone <= newest && !replaced) || row.deprecated <= newest;
            assert_eq!(ends, !row.instead.is_empty(), "{}", row.name);
            for name in row.instead.split('`').skip(1).step_by(2).filter(|word| word.contains('-')) {
                let known = LINES.iter().any(|line| taken(program, *line).contains(&name));
                assert!(known, "{} speaks of {name}", row.name);
            }
        }
    }
}

#[test]
fn what_is_absent_is_in_no_row() {
    for (program, name) in [
        (Program::Validator, "accounts-db-skip-initial-hash-calc"),
        (Program::Validator, "rpc-max-requests-per-second"),
        (Program::Validator, "trusted-validator"),
        (Program::TestValidator, "identity"),
    ] {
        assert!(advice(program, name).is_some(), "{name}");
        assert!(rows(program).all(|row| row.name != name), "{name}");
    }
}
