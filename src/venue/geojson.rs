//! Zones drawn in a geographic information system, as the lines of a venue file.
//!
//! A GeoJSON `FeatureCollection` (RFC 7946: longitude, latitude) of polygons; the properties `id` and `kind` must stand, `name`, `capacity`, `perimeter`, `profile` may. The
//! area in m² comes from the ring itself, by an equirectangular projection about the middle of everything drawn (over a stadium's two kilometres it is wrong by less than a
//! thousandth); the shape is drawn to scale on the console's canvas, north up.

use serde_json::Value;
use std::fmt::Write as _;

/// The mean radius of the Earth, m (IUGG).
const EARTH_M: f64 = 6_371_008.8;
/// The console's canvas, less a margin.
const CANVAS: [f64; 2] = [960.0, 800.0];
const MARGIN: f64 = 20.0;

/// A zone of the drawing.
struct Drawn<'a> {
    properties: &'a Value,
    ring: Vec<[f64; 2]>,
}

/// The `zones = [ … ]` of a venue file.
///
/// # Errors
/// What is wrong, and with which feature.
pub fn zones(text: &str) -> Result<String, String> {
    let document: Value = serde_json::from_str(text).map_err(|why| format!("not JSON: {why}"))?;
    let features = document["features"].as_array().ok_or("must be a GeoJSON FeatureCollection: `features` is missing")?;
    let drawn: Vec<Drawn<'_>> = features.iter().enumerate().map(|(i, feature)| read(i, feature)).collect::<Result<_, _>>()?;
    let Some(frame) = Frame::of(&drawn) else {
        return Err("holds no polygon".to_owned());
    };
    let mut out = String::from("zones = [\n");
    for zone in &drawn {
        write_zone(&mut out, zone, &frame);
    }
    out.push_str("]\n");
    Ok(out)
}

fn read(i: usize, feature: &Value) -> Result<Drawn<'_>, String> {
    let properties = &feature["properties"];
    let at = properties["id"].as_str().map_or_else(|| format!("feature {}", i + 1), |id| format!("feature {} (\"{id}\")", i + 1));
    for must in ["id", "kind"] {
        if properties[must].as_str().is_none() {
            return Err(format!("{at}: the property \"{must}\" is missing or no text"));
        }
    }
    let geometry = &feature["geometry"];
    let kind = geometry["type"].as_str().unwrap_or("nothing");
    let ring = match kind {
        "Polygon" => &geometry["coordinates"][0],
        "MultiPolygon" if geometry["coordinates"].as_array().is_some_and(|parts| parts.len() == 1) => &geometry["coordinates"][0][0],
        _ => return Err(format!("{at}: the geometry is a {kind} and must be one Polygon; draw a zone for each part")),
    };
    let point = |point: &Value| Some([point[0].as_f64()?, point[1].as_f64()?]).filter(|[lon, lat]| lon.abs() <= 180.0 && lat.abs() < 89.0);
    let mut ring: Vec<[f64; 2]> =
        ring.as_array().and_then(|ring| ring.iter().map(point).collect()).ok_or_else(|| format!("{at}: a point is not [longitude, latitude] in degrees"))?;
    if ring.len() > 1 && ring.first() == ring.last() {
        ring.pop();
    }
    if ring.len() < 3 {
        return Err(format!("{at}: its ring has fewer than three points"));
    }
    Ok(Drawn { properties, ring })
}

/// Where the drawing lies, and how it fits the canvas.
struct Frame {
    west: f64,
    north: f64,
    /// Metres for a degree of longitude and of latitude.
    metres: [f64; 2],
    /// Canvas units per metre.
    scale: f64,
}

impl Frame {
    fn of(drawn: &[Drawn<'_>]) -> Option<Self> {
        let points = || drawn.iter().flat_map(|zone| &zone.ring);
        let bounds = points().fold(None, |bounds: Option<[f64; 4]>, [lon, lat]| {
            let [w, s, e, n] = bounds.unwrap_or([*lon, *lat, *lon, *lat]);
            Some([w.min(*lon), s.min(*lat), e.max(*lon), n.max(*lat)])
        });
        let [west, south, east, north] = bounds?;
        let degree = EARTH_M.to_radians();
        let metres = [degree * libm::cos(f64::midpoint(south, north).to_radians()), degree];
        let size = [(east - west) * metres[0], (north - south) * metres[1]];
        let scale = (CANVAS[0] / size[0].max(1.0)).min(CANVAS[1] / size[1].max(1.0));
        Some(Self { west, north, metres, scale })
    }

    /// Metres east and south of the north-west corner.
    fn metres(&self, [lon, lat]: [f64; 2]) -> [f64; 2] {
        [(lon - self.west) * self.metres[0], (self.north - lat) * self.metres[1]]
    }
}

fn write_zone(out: &mut String, zone: &Drawn<'_>, frame: &Frame) {
    let ring: Vec<[f64; 2]> = zone.ring.iter().map(|point| frame.metres(*point)).collect();
    let mut fields = String::new();
    for key in ["id", "name", "kind", "perimeter", "profile"] {
        if let Some(text) = zone.properties[key].as_str() {
            // Writing to a String cannot fail. A TOML basic string takes JSON's escapes.
            let _ = write!(fields, "{key} = {}, ", Value::from(text));
        }
    }
    let _ = write!(fields, "area_m2 = {:.1}, ", area(&ring));
    if let Some(capacity) = zone.properties["capacity"].as_u64() {
        let _ = write!(fields, "capacity = {capacity}, ");
    }
    let points: Vec<String> = ring.iter().map(|[x, y]| format!("[{:.1}, {:.1}]", MARGIN + x * frame.scale, MARGIN + y * frame.scale)).collect();
    let _ = writeln!(out, "  {{ {fields}shape = {{ kind = \"polygon\", points = [{}] }} }},", points.join(", "));
}

/// Gauss's formula.
fn area(ring: &[[f64; 2]]) -> f64 {
    let next = ring.iter().cycle().skip(1);
    let doubled: f64 = ring.iter().zip(next).map(|(a, b)| a[0] * b[1] - b[0] * a[1]).sum();
    doubled.abs() / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0.001° of longitude at 33.6° N are 92.6 m, of latitude 111.2 m.
    const SQUARE: &str = r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"plaza","name":"Plaza \"N\"","kind":"plaza","capacity":900},
        "geometry":{"type":"Polygon","coordinates":[[[-7.1,33.6],[-7.099,33.6],[-7.099,33.601],[-7.1,33.601],[-7.1,33.6]]]}}]}"#;

    #[test]
    fn a_polygon_becomes_a_zone_with_its_area() {
        let text = zones(SQUARE).unwrap();
        let table: toml::Table = toml::from_str(&text).unwrap();
        let zone = &table["zones"][0];
        let area = zone["area_m2"].as_float().unwrap();
        assert!((area - 92.62 * 111.19).abs() < 12.0, "{area}");
        assert_eq!((zone["name"].as_str(), zone["capacity"].as_integer()), (Some("Plaza \"N\""), Some(900)));
        assert_eq!(zone["shape"]["points"].as_array().unwrap().len(), 4, "the closing point is not said twice");
    }

    #[test]
    fn what_cannot_be_a_zone_is_named() {
        let cases = [
            ("{", "not JSON"),
            ("{}", "`features` is missing"),
            (r#"{"features":[]}"#, "no polygon"),
            (&SQUARE.replace("\"kind\"", "\"sort\""), "feature 1 (\"plaza\"): the property \"kind\""),
            (&SQUARE.replace("Polygon", "Point"), "is a Point"),
            (&SQUARE.replace("[-7.099,33.6]", "[-7.099,133.6]"), "not [longitude, latitude]"),
        ];
        for (text, why) in cases {
            assert!(zones(text).unwrap_err().contains(why), "{why}");
        }
    }
}
