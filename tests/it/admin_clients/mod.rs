//! `/admin/clients`.

mod access;
mod change;
mod create;
mod list;
mod secrets;
