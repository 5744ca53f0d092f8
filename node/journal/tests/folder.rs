//! The data folder: made once, used by one process, never mistaken.

use std::fs;

use journal::{DataFolder, FolderFault};

#[test]
fn a_new_folder_is_made_and_opened_again() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let path = parent.path().join("new/data");
    let folder = DataFolder::open(&path).expect("nothing is there yet");
    assert_eq!(fs::read_to_string(path.join("FORMAT")).expect("made"), "dex 1\n");
    for inside in [folder.commands(), folder.events(), folder.keys()] {
        assert!(inside.is_dir(), "{inside:?}");
    }
    assert_eq!(folder.path(), path);
    fs::write(folder.commands().join("something"), "kept").expect("writable");
    drop(folder);
    let folder = DataFolder::open(&path).expect("it is ours");
    assert!(folder.commands().join("something").exists());
}

#[cfg(unix)]
#[test]
fn keys_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().expect("a temporary folder");
    let folder = DataFolder::open(parent.path()).expect("empty");
    let mode = fs::metadata(folder.keys()).expect("made").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn a_folder_in_use_is_refused_until_it_is_free() {
    let path = tempfile::tempdir().expect("a temporary folder");
    let first = DataFolder::open(path.path()).expect("empty");
    let fault = DataFolder::open(path.path()).expect_err("two at once");
    assert!(matches!(fault, FolderFault::InUse { .. }));
    assert!(fault.to_string().contains("stop that process"), "{fault}");
    drop(first);
    DataFolder::open(path.path()).expect("free again");
}

#[test]
fn another_version_is_refused_and_untouched() {
    let path = tempfile::tempdir().expect("a temporary folder");
    fs::write(path.path().join("FORMAT"), "dex 2\n").expect("writable");
    let fault = DataFolder::open(path.path()).expect_err("of a later program");
    assert!(matches!(fault, FolderFault::OtherVersion { found: 2, .. }));
    assert!(fault.to_string().contains("version of the program that made it"), "{fault}");
    assert_eq!(fs::read_dir(path.path()).expect("readable").count(), 1, "nothing was written");
}

#[test]
fn a_folder_of_something_else_is_refused_and_untouched() {
    for (name, content) in
        [("notes.txt", "mine"), ("FORMAT", "jpeg 1\n"), ("FORMAT", "dex 1"), ("FORMAT", "")]
    {
        let path = tempfile::tempdir().expect("a temporary folder");
        fs::write(path.path().join(name), content).expect("writable");
        let fault = DataFolder::open(path.path()).expect_err("not ours");
        assert!(matches!(fault, FolderFault::NotOurs { .. }), "{name} {content:?}: {fault}");
        assert!(fault.to_string().contains("name an empty or new folder"), "{fault}");
        assert_eq!(fs::read_dir(path.path()).expect("readable").count(), 1);
    }
}

#[test]
fn an_interrupted_first_start_is_no_obstacle() {
    let path = tempfile::tempdir().expect("a temporary folder");
    fs::write(path.path().join("LOCK"), "").expect("writable");
    fs::write(path.path().join("FORMAT.new"), "de").expect("writable");
    DataFolder::open(path.path()).expect("made now");
    assert_eq!(fs::read_to_string(path.path().join("FORMAT")).expect("made"), "dex 1\n");
}

#[test]
fn a_file_in_its_place_is_refused() {
    let parent = tempfile::tempdir().expect("a temporary folder");
    let path = parent.path().join("data");
    fs::write(&path, "a file").expect("writable");
    let fault = DataFolder::open(&path).expect_err("a file is no folder");
    assert!(matches!(fault, FolderFault::Storage { action: "create", .. }), "{fault}");
}
