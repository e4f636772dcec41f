//! [`Address`]: the server that a command is told to ask.

use std::ffi::OsStr;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};
use series::ServerAddress;

/// Parses a [`ServerAddress`] of the command line. Unlike what clap says of other arguments, its mistakes do not repeat what was
/// written: people write passwords and tokens into URLs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Address;

impl TypedValueParser for Address {
    type Value = ServerAddress;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<ServerAddress, Error> {
        let parsed = value.to_str().map_or(Err(series::ServerAddressError::NotAUrl), str::parse);
        parsed.map_err(|problem| {
            let name = arg.map(|arg| format!("{arg}: ")).unwrap_or_default();
            Error::raw(ErrorKind::ValueValidation, format!("{name}{problem}\n")).with_cmd(command)
        })
    }
}
