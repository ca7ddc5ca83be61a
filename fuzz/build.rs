//! The linker is told of the functions of librdkafka before which `src/kafka/leader_change.rs` and `src/kafka/busy_turns.rs` stand, as `../build.rs` tells it for the crate's own programs.

fn main() {
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo:rustc-link-arg=-Wl,--wrap=rd_kafkap_leader_discovery_set_topic,--wrap=rd_kafka_transport_io_serve");
    }
}
