//! Before the crate compiles: GTFS-Realtime's protobuf becomes Rust, and the folder of the built console exists, so that it can be embedded
//! (empty, where nobody has built it yet: the service then says how). And the linker is told of the functions of librdkafka that are mended.

#[allow(clippy::disallowed_methods, reason = "cargo tells a build script by the environment what it builds for")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    std::fs::create_dir_all("dashboards/console/dist")?;
    println!("cargo:rerun-if-changed=dashboards/console/dist");
    println!("cargo:rerun-if-changed=proto/gtfs-realtime.proto");
    // `src/kafka/leader_change.rs` and `src/kafka/busy_turns.rs` stand before these functions of librdkafka.
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo:rustc-link-arg=-Wl,--wrap=rd_kafkap_leader_discovery_set_topic,--wrap=rd_kafka_transport_io_serve");
    }
    // protox parses in Rust: nobody has to install protoc.
    prost_build::compile_fds(protox::compile(["gtfs-realtime.proto"], ["proto"])?)?;
    Ok(())
}
