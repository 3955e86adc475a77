//! What waits, in which order, and what goes when there is too much.

use super::*;

fn buffer(directory: &tempfile::TempDir, most: u64) -> Buffer {
    Buffer::open(directory.path().join("buffer"), most).unwrap()
}

fn files(directory: &tempfile::TempDir) -> usize {
    fs::read_dir(directory.path().join("buffer")).unwrap().count()
}

/// Sends all that is there, to a server that takes everything.
fn drain(buffer: &mut Buffer) -> String {
    let mut all = Vec::new();
    while let Some(batch) = buffer.to_send() {
        all.extend(batch.lines);
        buffer.sent();
    }
    String::from_utf8(all).unwrap()
}

#[test]
fn while_the_server_is_there_nothing_goes_to_disk() {
    let directory = tempfile::tempdir().unwrap();
    let mut buffer = buffer(&directory, 1000);
    for _ in 0..3 {
        buffer.push(b"a\n");
        assert_eq!(buffer.to_send().unwrap().lines, b"a\n");
        buffer.sent();
    }
    assert_eq!((files(&directory), buffer.to_send()), (0, None));
}

#[test]
fn what_waits_is_sent_once_with_the_oldest_first() {
    let directory = tempfile::tempdir().unwrap();
    let mut buffer = buffer(&directory, 1000);
    for lines in ["1\n", "2\n", "3\n"] {
        buffer.push(lines.as_bytes());
        buffer.to_send().unwrap();
        buffer.give_back();
    }
    buffer.push(b"4\n");
    assert_eq!(drain(&mut buffer), "1\n2\n3\n4\n");
    assert_eq!((files(&directory), buffer.size(), buffer.dropped()), (0, 0, 0));
}

#[test]
fn what_comes_while_something_is_sent_is_neither_lost_nor_sent_twice() {
    let directory = tempfile::tempdir().unwrap();
    let mut buffer = buffer(&directory, 1000);
    buffer.push(b"1\n");
    let first = buffer.to_send().unwrap();
    buffer.push(b"2\n");
    buffer.push(b"3\n");
    assert_eq!(buffer.to_send(), Some(first), "the same until it is known what became of it");
    buffer.sent();
    assert_eq!(drain(&mut buffer), "2\n3\n");
}

#[test]
fn when_there_is_too_much_the_oldest_goes_and_is_counted() {
    let directory = tempfile::tempdir().unwrap();
    let mut buffer = buffer(&directory, 3 * SEGMENT);
    let block = |letter: &str| format!("{}\n", letter.repeat(1023)).repeat(256);
    for letter in ["a", "b", "c", "d"] {
        buffer.push(block(letter).as_bytes());
    }
    buffer.keep();
    assert_eq!((buffer.size(), buffer.dropped()), (3 * SEGMENT, 256));
    let left = drain(&mut buffer);
    assert!(left.starts_with('b') && left.ends_with("d\n"));
}

#[test]
fn another_run_finds_what_waits_and_cuts_off_half_a_line() {
    let directory = tempfile::tempdir().unwrap();
    let mut first = buffer(&directory, 1000);
    first.push(b"1\n2\n");
    first.keep();
    let file = directory.path().join("buffer/0000000000000000.lines");
    File::options().append(true).open(&file).unwrap().write_all(b"half").unwrap();
    fs::write(directory.path().join("buffer/notes.txt"), "not ours").unwrap();
    let mut second = buffer(&directory, 1000);
    second.push(b"3\n");
    assert_eq!(drain(&mut second), "1\n2\n3\n");
}

#[test]
fn what_the_server_will_never_take_is_dropped_and_counted() {
    let directory = tempfile::tempdir().unwrap();
    let mut buffer = buffer(&directory, 1000);
    buffer.push(b"bad\nworse\n");
    buffer.to_send().unwrap();
    assert_eq!((buffer.reject(), buffer.dropped(), buffer.to_send()), (2, 2, None));
}

#[test]
fn a_disk_that_cannot_be_written_costs_the_oldest_lines_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let mut buffer = buffer(&directory, 1000);
    fs::remove_dir(directory.path().join("buffer")).unwrap();
    buffer.push(b"1\n");
    buffer.to_send().unwrap();
    buffer.give_back();
    assert!(buffer.dropped() == 1 && buffer.trouble().is_some());
    fs::create_dir(directory.path().join("buffer")).unwrap();
    buffer.push(b"2\n");
    buffer.keep();
    assert!(drain(&mut buffer) == "2\n" && buffer.trouble().is_none());
}

#[test]
fn what_had_to_make_room_while_it_was_sent_and_arrived_is_not_counted_as_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let mut buffer = buffer(&directory, 4);
    buffer.push(b"1\n");
    buffer.keep();
    assert_eq!(buffer.to_send().unwrap().lines, b"1\n");
    for lines in ["2\n", "3\n", "4\n"] {
        buffer.push(lines.as_bytes());
    }
    assert_eq!(buffer.dropped(), 1);
    buffer.sent();
    assert_eq!((buffer.dropped(), drain(&mut buffer).as_str()), (0, "2\n3\n4\n"));
}
