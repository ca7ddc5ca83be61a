#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| midan_fuzz::decode("pretix", bytes));
