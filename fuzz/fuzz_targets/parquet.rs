//! A Parquet file: footer, page headers, levels and values.
#![no_main]

use headsmith_fuzz::read_table;
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: {
        // Panics of the `parquet` crate are caught and become errors: only those that come out are findings, and
        // libFuzzer catches them. The hook it sets would end the process at any.
        std::panic::set_hook(Box::new(|_| {}));
    },
    |bytes: &[u8]| read_table(bytes)
);
