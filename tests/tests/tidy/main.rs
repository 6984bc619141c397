//! The house rules that a machine can check (docs/style.md). Each message says what to do.
//!
//! Invariant: every checker has a test beside it in which it finds something. A check that
//! cannot fail is a defect.
#![expect(clippy::disallowed_methods, reason = "reads the project's own files")]

mod arrows;
mod documents;
mod faces;
mod files;
mod rust;
mod sources;
mod words;

use files::{paths, report, texts};

#[test]
fn every_source_file_says_what_it_is_for() {
    report(&sources::heads(&texts()));
}

#[test]
fn files_functions_and_lines_are_short() {
    let files = texts();
    let mut faults = sources::file_lengths(&files);
    faults.extend(sources::function_lengths(&files));
    faults.extend(sources::line_lengths(&files));
    faults.extend(sources::told(&files));
    report(&faults);
}

#[test]
fn dependency_arrows_point_down() {
    let files = texts();
    let mut faults = arrows::manifests(&files);
    faults.extend(arrows::unused(&files));
    report(&faults);
}

#[test]
fn unsafe_and_async_stay_where_they_are_lawful() {
    let files = texts();
    let mut faults = arrows::unsafe_code(&files);
    faults.extend(arrows::async_code(&files));
    report(&faults);
}

#[test]
fn the_language_starts_threads_in_one_place() {
    report(&arrows::threads(&texts()));
}

#[test]
fn the_engine_knows_no_domain_word() {
    report(&words::domain(&texts()));
}

#[test]
fn names_say_what_they_name() {
    let mut faults = words::names(&paths(), &texts());
    faults.extend(words::top(&paths()));
    report(&faults);
}

#[test]
fn documents_point_at_what_exists() {
    let files = texts();
    let mut faults = documents::links(&paths(), &files);
    faults.extend(documents::first_example(&files));
    faults.extend(documents::page_lengths(&files));
    faults.extend(documents::decisions(&files));
    faults.extend(documents::dependencies(&files));
    report(&faults);
}

#[test]
fn the_engines_public_face_is_shown_or_tested() {
    report(&faces::unproven(&texts()));
}

#[test]
fn nothing_is_left_for_later() {
    report(&sources::leftovers(&texts()));
}

#[test]
fn nothing_speaks_of_somebody_or_of_somewhere_else() {
    let files = texts();
    let mut faults = words::citizens(&files);
    faults.extend(words::foreign(&files));
    report(&faults);
}
