//! A real Kafka 4 for the tests: one node out of a folder of jars, on free ports, in a folder of its own, gone with the process that started it.
//!
//! The broker runs under a shell that waits on a pipe from the test process. However that process ends, the pipe closes, and the shell
//! kills the broker and removes its folder.

use midan::kafka::{KafkaAdmin, Settings};
use midan::log::{Plan, TopicAdmin};
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The folder with `libs/*.jar`.
const HOME: &str = "MIDAN_KAFKA_HOME";

const SCRIPT: &str = r#"
java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$CP" kafka.tools.StorageTool format -t "$ID" -c "$DIR/server.properties" --standalone >"$DIR/format.log" 2>&1
java -Xmx512m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$CP" kafka.Kafka "$DIR/server.properties" >"$DIR/broker.log" 2>&1 </dev/null &
broker=$!
read -r _
kill -9 $broker
wait $broker 2>/dev/null
rm -rf "$DIR"
"#;

/// A running broker.
pub(crate) struct Broker {
    pub(crate) address: String,
    folder: PathBuf,
    shell: Child,
}

impl Broker {
    /// Starts one and waits until it answers.
    fn start(jars: &Path) -> Self {
        let folder = std::env::temp_dir().join(format!("midan-kafka-{}-{}", std::process::id(), free_port()));
        std::fs::create_dir_all(&folder).unwrap();
        let (port, controller) = (free_port(), free_port());
        std::fs::write(folder.join("server.properties"), properties(&folder, port, controller)).unwrap();
        let shell = Command::new("sh")
            .args(["-c", SCRIPT])
            .env("CP", format!("{}/libs/*", jars.display()))
            .env("DIR", &folder)
            .env("ID", "bWlkYW4tdGVzdC1rYWZrYQ")
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let broker = Self { address: format!("127.0.0.1:{port}"), folder, shell };
        broker.wait_until_it_answers();
        broker
    }

    fn wait_until_it_answers(&self) {
        let (deadline, mut last) = (now() + Duration::from_secs(90), String::new());
        while now() < deadline {
            if std::net::TcpStream::connect(&self.address).is_ok() {
                let admin = KafkaAdmin::new(&Settings::new(&self.address, "probe", "probe")).unwrap();
                match admin.check(&Plan { partitions: 1, ..Plan::default() }) {
                    Ok(_) => return,
                    Err(error) => last = error.to_string(),
                }
            }
            rest(Duration::from_millis(100));
        }
        let log = std::fs::read_to_string(self.folder.join("broker.log")).unwrap_or_default();
        panic!("Kafka did not start: {last}\n{}", log.lines().rev().take(5).collect::<Vec<_>>().join("\n"));
    }

    /// Topics of one test's own, told apart by their prefix, and the settings to use them.
    pub(crate) fn topics(&self, partitions: u32) -> (Settings, Plan) {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let prefix = format!("t{}-", NEXT.fetch_add(1, Ordering::Relaxed));
        let mut settings = Settings::new(&self.address, &format!("{prefix}night"), "here");
        settings.prefix.clone_from(&prefix);
        // A killed member is missed after a second and a half.
        settings.properties.insert("session.timeout.ms".into(), "1500".into());
        settings.properties.insert("heartbeat.interval.ms".into(), "300".into());
        let plan = Plan { prefix, partitions, ..Plan::default() };
        let created = KafkaAdmin::new(&settings).unwrap().create(&plan).unwrap();
        assert_eq!(created.len(), 12);
        (settings, plan)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(mut pipe) = self.shell.stdin.take() {
            let _ = pipe.write_all(b"\n");
        }
        let _ = self.shell.wait();
    }
}

/// The broker that all tests of this process share; none, with a word why, where there are no jars to start it from.
pub(crate) fn broker() -> Option<&'static Broker> {
    static SHARED: OnceLock<Option<Broker>> = OnceLock::new();
    let broker = SHARED.get_or_init(|| jars().map(|jars| Broker::start(&jars)));
    if broker.is_none() {
        eprintln!("skipped: {HOME} names no folder with Kafka's jars in libs/; `make test` sets it");
    }
    broker.as_ref()
}

#[allow(clippy::disallowed_methods, reason = "where the jars are is told by whoever runs the tests")]
fn jars() -> Option<PathBuf> {
    std::env::var(HOME).ok().map(PathBuf::from).filter(|home| home.join("libs").is_dir())
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[allow(clippy::disallowed_methods, reason = "a limit on waiting in a test")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[allow(clippy::disallowed_methods, reason = "another process is waited for, which gives no signal")]
pub(crate) fn rest(length: Duration) {
    std::thread::sleep(length);
}

fn properties(folder: &Path, port: u16, controller: u16) -> String {
    format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
broker.session.timeout.ms=1500
broker.heartbeat.interval.ms=300
log.cleaner.backoff.ms=1000
auto.create.topics.enable=false
",
        folder.display()
    )
}
