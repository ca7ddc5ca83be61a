//! Before the crate compiles: GTFS-Realtime's protobuf becomes Rust, and the folder of the built console exists, so that it can be embedded
//! (empty, where nobody has built it yet: the service then says how).

fn main() -> std::io::Result<()> {
    std::fs::create_dir_all("dashboards/console/dist")?;
    println!("cargo:rerun-if-changed=dashboards/console/dist");
    Ok(())
}
