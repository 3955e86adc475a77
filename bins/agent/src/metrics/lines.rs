//! Measurements as line protocol, under the names that Telegraf gives them, so that dashboards made for it fit.

use influxdb_line_protocol::LineProtocolBuilder;
use influxdb_line_protocol::builder::FieldValue;

/// Lines that all have the same time and the same host.
pub(super) struct Lines<'a> {
    host: &'a str,
    nanoseconds: i64,
    text: Vec<u8>,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    /// A whole number, such as bytes.
    Whole(u64),
    /// Any other.
    Real(f64),
}

impl FieldValue for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            // What does not fit has been counting for centuries.
            Self::Whole(number) => FieldValue::fmt(&i64::try_from(*number).unwrap_or(i64::MAX), f),
            Self::Real(number) => FieldValue::fmt(number, f),
        }
    }
}

impl<'a> Lines<'a> {
    pub(super) const fn new(host: &'a str, nanoseconds: i64) -> Self {
        Self { host, nanoseconds, text: Vec::new() }
    }

    /// Adds a line, unless it would have no field: line protocol knows neither NaN nor infinity.
    pub(super) fn add(&mut self, measurement: &str, tags: &[(&str, &str)], fields: &[(&str, Number)]) {
        let sound = |(_, number): &&(&str, Number)| !matches!(number, Number::Real(real) if !real.is_finite());
        let mut fields = fields.iter().filter(sound);
        let Some((first, value)) = fields.next() else { return };
        let mut line = LineProtocolBuilder::new_with(std::mem::take(&mut self.text)).measurement(measurement);
        for (name, value) in [("host", self.host)].iter().chain(tags) {
            let value = clean(value);
            if !value.is_empty() {
                line = line.tag(name, &value);
            }
        }
        let mut line = line.field(first, *value);
        for (name, value) in fields {
            line = line.field(name, *value);
        }
        self.text = line.timestamp(self.nanoseconds).close_line().build();
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.text
    }
}

/// A tag's value cannot hold a line break, nor end with what would escape the character behind it.
fn clean(value: &str) -> String {
    let value: String = value.chars().map(|c| if c.is_control() { '_' } else { c }).collect();
    value.trim_end_matches('\\').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(tags: &[(&str, &str)], fields: &[(&str, Number)]) -> String {
        let mut lines = Lines::new("web 1", 1_700_000_000_000_000_000);
        lines.add("disk", tags, fields);
        String::from_utf8(lines.finish()).unwrap()
    }

    #[test]
    fn a_line_has_its_host_its_tags_its_fields_and_its_time() {
        let written = line(&[("path", "/srv")], &[("used", Number::Whole(7)), ("used_percent", Number::Real(0.5))]);
        assert_eq!(written, "disk,host=web\\ 1,path=/srv used=7i,used_percent=0.5 1700000000000000000\n");
    }

    #[test]
    fn a_mount_point_cannot_write_a_line_or_a_tag_of_its_own() {
        let written = line(&[("path", "/a,b=c d\nmem,host=other used=1i\\")], &[("used", Number::Whole(1))]);
        assert_eq!(written.lines().count(), 1);
        let parsed: Vec<_> = influxdb_line_protocol::parse_lines(&written).collect::<Result<_, _>>().unwrap();
        assert_eq!(parsed[0].series.tag_set.as_ref().unwrap().len(), 2);
    }

    #[test]
    fn what_is_no_number_is_left_out() {
        let written = line(&[], &[("a", Number::Real(f64::NAN)), ("b", Number::Whole(1))]);
        assert!(written.contains(" b=1i "), "{written}");
        assert_eq!(line(&[], &[("a", Number::Real(f64::INFINITY))]), "");
    }

    #[test]
    fn an_empty_tag_is_left_out_since_no_line_may_have_one() {
        assert!(line(&[("device", "")], &[("a", Number::Whole(1))]).starts_with("disk,host=web\\ 1 a="));
    }
}
