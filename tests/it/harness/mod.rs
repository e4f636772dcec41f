//! What the tests run against: servers as child processes or tasks, a small KEDA client, and a load that depends on the
//! time alone.

pub(crate) mod certificates;
pub(crate) mod clock;
pub(crate) mod disk;
pub(crate) mod documents;
pub(crate) mod eventually;
pub(crate) mod faulty;
pub(crate) mod http;
pub(crate) mod keda;
pub(crate) mod load;
pub(crate) mod prescale;
pub(crate) mod process;
pub(crate) mod programs;
pub(crate) mod prometheus;
pub(crate) mod redis;
pub(crate) mod roles;
