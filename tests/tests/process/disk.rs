//! A file system of its own in a file, cut off under load as by a power cut: whatever was
//! acknowledged is there when it is mounted again.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use yiku_tests::Random;

use crate::child::{Running, Said, look, times, writer};

/// A file system in a file; taken away when dropped.
struct Mounted {
    image: PathBuf,
    at: PathBuf,
}

fn call(program: &str, arguments: &[&Path]) -> bool {
    let called = Command::new(program).args(arguments).output();
    called.is_ok_and(|output| output.status.success())
}

impl Mounted {
    /// Makes a file system; none where this machine cannot.
    fn new(folder: &Path) -> Option<Self> {
        let (image, at) = (folder.join("image"), folder.join("mounted"));
        std::fs::create_dir(&at).unwrap();
        let file = std::fs::File::create(&image).unwrap();
        file.set_len(64 << 20).unwrap();
        let made = call("mkfs.ext4", &[Path::new("-q"), &image]);
        let cut = Command::new("xfs_io").arg("-V").output();
        let mounted = Self { image, at };
        let can = made && cut.is_ok_and(|cut| cut.status.success()) && mounted.mount();
        if !can {
            eprintln!("not tested: needs the right to mount, mkfs.ext4 and xfs_io");
        }
        can.then_some(mounted)
    }

    fn mount(&self) -> bool {
        call("mount", &[Path::new("-o"), Path::new("loop"), &self.image, &self.at])
    }

    fn unmount(&self) -> bool {
        call("umount", &[&self.at])
    }

    /// What is not on the disk by now is lost.
    fn cut_off(&self) {
        let words = ["-x", "-c", "shutdown"].map(Path::new);
        assert!(call("xfs_io", &[words[0], words[1], words[2], &self.at]), "it was not cut off");
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        self.unmount();
    }
}

#[test]
fn a_file_system_that_is_cut_off_keeps_what_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mounted) = Mounted::new(folder.path()) else { return };
    let place = mounted.at.join("database");
    std::fs::create_dir(&place).unwrap();
    std::fs::File::open(&mounted.at).unwrap().sync_all().unwrap();
    let (cuts, mut random) = (times("YIKU_CUTS", 4), Random::new(31));
    let (mut from, mut commits) = (vec![0, 0], 0);
    for cut in 0..cuts {
        let running = Running::start(writer::<&str>(&[]), &place, 100_000, &from);
        let mut said = Said::new(&from);
        running.until(random.below(40), &mut said);
        std::thread::sleep(Duration::from_micros(random.below(9_000) as u64));
        mounted.cut_off();
        // What it says of itself from here on, it says of a disk that takes nothing.
        let said = running.stop(said);
        assert!(said.lies.is_empty(), "cut {cut}: {:?}", said.lies);
        commits += said.commits;
        assert!(mounted.unmount() && mounted.mount(), "cut {cut}: it cannot be mounted again");
        from = look(&place, &said, &format!("cut {cut}"));
    }
    eprintln!("{cuts} cuts, {commits} acknowledged commits, none lost");
    assert!(commits > cuts, "there was hardly a commit: {commits}");
}
