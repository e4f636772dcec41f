#![no_main]

// the binary has no library: its reader is taken as it is
#[path = "../../crates/prescale/src/input/mod.rs"]
#[allow(dead_code, reason = "of the reader's commands only the reading is fed")]
mod input;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| input::fuzzing::csv(bytes));
