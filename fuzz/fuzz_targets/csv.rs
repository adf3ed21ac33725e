//! A CSV: text a person may have edited, cut off or downloaded wrongly.
#![no_main]

use headsmith_fuzz::read_table;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| read_table(bytes));
