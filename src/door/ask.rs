//! How the door asks others over HTTP: with a time limit, and by the system's own certificates, which a site can add to.

use std::time::Duration;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};

/// A client whose whole question takes at most `timeout`, and to which a status is an answer and no error.
pub(super) fn agent(timeout: Duration) -> ureq::Agent {
    let tls = TlsConfig::builder().provider(TlsProvider::NativeTls).root_certs(RootCerts::PlatformVerifier).build();
    ureq::Agent::config_builder().timeout_global(Some(timeout)).http_status_as_error(false).tls_config(tls).build().into()
}
