//! Before the crate compiles: GTFS-Realtime's protobuf becomes Rust, and the folder of the built console exists, so that it can be embedded
//! (empty, where nobody has built it yet: the service then says how).

fn main() -> Result<(), Box<dyn std::error::Error>> {
    std::fs::create_dir_all("dashboards/console/dist")?;
    println!("cargo:rerun-if-changed=dashboards/console/dist");
    println!("cargo:rerun-if-changed=proto/gtfs-realtime.proto");
    // protox parses in Rust: nobody has to install protoc.
    prost_build::compile_fds(protox::compile(["gtfs-realtime.proto"], ["proto"])?)?;
    Ok(())
}
