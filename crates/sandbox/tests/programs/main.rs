//! Real processes: what a program is given, how it ends, and what bounds it.
#![cfg(target_os = "linux")]

#[cfg(test)]
mod bounds;
#[cfg(test)]
mod ends;
#[cfg(test)]
mod given;
#[cfg(test)]
mod jail;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod watched;
