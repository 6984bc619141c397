//! The kinds of cases as pure machines.
