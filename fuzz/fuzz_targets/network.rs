#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| zeroless_fuzz::targets::network(bytes));
