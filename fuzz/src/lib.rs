//! What every fuzz target does: decode bytes as one format, in a venue of the shipped configuration.

use midan::feeds::{self, Format, RecordRef};
use midan::venue::{SourceFile, World, load};
use std::sync::LazyLock;

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let file = |path: &str, text: &str| SourceFile { path: path.to_owned(), text: text.to_owned() };
    let mut world = load(&[
        file("profile", include_str!("../../config/profiles/fr-ma-2030.toml")),
        file("mapping", include_str!("../../config/mappings/turnstiles.toml")),
        file("venue", include_str!("../../config/venues/casablanca.toml")),
    ])
    .expect("the shipped configuration is sound");
    let mapping = midan::venue::load_mapping(&file("mapping", include_str!("../../config/mappings/turnstiles.toml"))).expect("the shipped mapping is sound");
    let mapping = std::sync::Arc::new(mapping);
    for source in world.venues.iter_mut().flat_map(|venue| &mut venue.sources) {
        source.wire.time_zone = Some(chrono_tz());
        source.wire.mapping = Some(std::sync::Arc::clone(&mapping));
    }
    world
});

fn chrono_tz() -> midan::venue::TimeZone {
    "Africa/Casablanca".parse().expect("the zone exists")
}

/// Decodes `bytes` as the format of that name.
#[allow(unreachable_pub, reason = "also compiled into the tests")]
pub fn decode(format: &str, bytes: &[u8]) {
    let format = Format::find(format).expect("the format is in the list");
    let venue = &WORLD.venues[0];
    let source = venue.sources.iter().find(|source| source.feed == format.feeds[0]);
    let record = RecordRef {
        feed: format.feeds[0],
        partition: 0,
        offset: 0,
        appended: None,
        received: Some(1_907_863_300_000),
        key: Some(venue.id.as_bytes()),
        value: bytes,
        source: source.map(|source| &*source.id),
        format: Some(format.media_types[0]),
        cloud_event: None,
        attributes: feeds::Attributes::default(),
    };
    let _ = feeds::decode(&record, &WORLD, &mut |_| {});
}
