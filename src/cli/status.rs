//! `midan status`: who has what, what is still to be read, and who wrote each partition's state last.

use super::settings::Settings;
use crate::kafka::status::{GroupStatus, group_status};
use crate::venue::Feed;
use std::process::ExitCode;

/// Asks the broker and prints a table; fails where a partition has no member.
pub(super) fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let status = group_status(&settings.kafka.clients())?;
    print!("{}", table(&settings.kafka.group, &status));
    let orphans = status.partitions.iter().filter(|partition| holder(&status, partition.partition).is_none()).count();
    if orphans > 0 {
        println!("{orphans} partitions have no shard: start `midan run`, or wait for the group to hand them out");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn holder(status: &GroupStatus, partition: u32) -> Option<&str> {
    status.members.iter().find(|member| member.partitions.contains(&partition)).map(|member| member.client.as_str())
}

fn table(group: &str, status: &GroupStatus) -> String {
    let mut text = format!("group {group}: {}, {} shards\n", status.state, status.members.len());
    for member in &status.members {
        text += &format!("  {} at {}: {} partitions\n", member.client, member.host.trim_start_matches('/'), member.partitions.len());
    }
    text += &format!("{:>9}  {:<24} {:<32}", "partition", "shard", "state written by");
    for feed in Feed::ALL {
        text += &format!(" {:>10}", feed.word());
    }
    text += "   (records not committed)\n";
    for partition in &status.partitions {
        let shard = holder(status, partition.partition).unwrap_or("nobody");
        text += &format!("{:>9}  {shard:<24} {:<32}", partition.partition, partition.owner.as_deref().unwrap_or("nobody"));
        for feed in Feed::ALL {
            let lag = partition.lag.get(&feed).copied().flatten();
            text += &format!(" {:>10}", lag.map_or("-".to_owned(), |lag| lag.to_string()));
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::status::{MemberStatus, PartitionStatus};

    #[test]
    fn a_line_says_who_reads_a_partition_who_wrote_its_state_and_what_is_left() {
        let member = MemberStatus { client: "midan-a-0".into(), host: "/10.0.0.1".into(), partitions: vec![0] };
        let of = |partition, lag| PartitionStatus { partition, lag: [(Feed::Sensors, lag)].into(), owner: Some("midan-night-b-0".into()) };
        let status = GroupStatus { state: "Stable".into(), members: vec![member], partitions: vec![of(0, Some(12)), of(1, None)] };
        let text = table("night", &status);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "group night: Stable, 1 shards");
        assert!(lines[3].contains("midan-a-0") && lines[3].contains("midan-night-b-0") && lines[3].contains("12"), "{text}");
        assert!(lines[4].contains("nobody"), "{text}");
    }
}
