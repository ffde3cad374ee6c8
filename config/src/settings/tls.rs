//! `tls` of the listener and of a link: who proves by certificate who they are.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::http::address;
use crate::keyed::keyed;

/// TLS of the listener, on an address of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListenerTls {
    /// Where the certificate comes from.
    pub mode: TlsMode,
    /// Address and port. Port 0: any free one.
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    /// PEM file of the certificate, those that vouch for it behind; with mode `files`.
    #[serde(default)]
    pub cert: Option<PathBuf>,
    /// PEM file of the private key; with mode `files`.
    #[serde(default)]
    pub key: Option<PathBuf>,
    /// Names and addresses by which sensors reach this machine, beside those it knows of itself;
    /// with mode `auto`.
    #[serde(default)]
    pub names: Vec<String>,
}

impl ListenerTls {
    /// Whether there is any.
    pub fn is_on(&self) -> bool {
        self.mode != TlsMode::Off
    }

    /// The files of `cert` and `key`, where mode is `files`.
    pub fn files(&self) -> Option<(&Path, &Path)> {
        let files = (self.cert.as_deref()?, self.key.as_deref()?);
        (self.mode == TlsMode::Files).then_some(files)
    }

    pub(super) fn paths(&mut self) -> impl Iterator<Item = (&'static str, &mut PathBuf)> {
        named([("cert", &mut self.cert), ("key", &mut self.key)])
    }
}

keyed! {
    /// Where a server's certificate comes from.
    pub enum TlsMode ("mode of tls") {
        /// No TLS.
        Off = "off", "关", "off";
        /// From files of somebody else's making.
        Files = "files", "文件", "files";
        /// Made and renewed by Plotwise in the data directory.
        Auto = "auto", "自动", "auto";
    }
}

/// TLS of a link; without `ca` the certificate authorities of the operating system are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkTls {
    /// PEM file of the authorities that may have vouched for the broker.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// PEM file of the certificate that the broker wants of us.
    #[serde(default)]
    pub cert: Option<PathBuf>,
    /// PEM file of its private key.
    #[serde(default)]
    pub key: Option<PathBuf>,
}

impl LinkTls {
    pub(super) fn paths(&mut self) -> impl Iterator<Item = (&'static str, &mut PathBuf)> {
        named([("ca", &mut self.ca), ("cert", &mut self.cert), ("key", &mut self.key)])
    }
}

fn named<'p, const N: usize>(
    paths: [(&'static str, &'p mut Option<PathBuf>); N],
) -> impl Iterator<Item = (&'static str, &'p mut PathBuf)> {
    paths.into_iter().filter_map(|(key, path)| Some((key, path.as_mut()?)))
}
