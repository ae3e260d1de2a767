//! What kind of file system a file lies on: SQLite's locks are only as good as it.

use std::path::Path;

/// What is known of a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileSystem {
    /// A local one, or one we know nothing of.
    Local,
    /// One in user space, whose locks and flushes depend on its author.
    UserSpace,
    /// One that is shared between machines.
    Network(&'static str),
}

/// The file system of `folder`.
#[cfg(target_os = "linux")]
pub(crate) fn of(folder: &Path) -> FileSystem {
    rustix::fs::statfs(folder).map_or(FileSystem::Local, |found| by_magic(found.f_type & 0xffff_ffff))
}

/// The file system of `folder`; nothing is known of it on this platform.
#[cfg(not(target_os = "linux"))]
pub(crate) fn of(_folder: &Path) -> FileSystem {
    FileSystem::Local
}

/// The numbers by which Linux tells file systems apart (`linux/magic.h`).
#[cfg(target_os = "linux")]
fn by_magic(magic: i64) -> FileSystem {
    match magic {
        0x6969 => FileSystem::Network("NFS"),
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => FileSystem::Network("SMB"),
        0x0102_1997 => FileSystem::Network("9p"),
        0x00c3_6400 => FileSystem::Network("Ceph"),
        0x5346_414f | 0x6b41_4653 => FileSystem::Network("AFS"),
        0x6573_5546 => FileSystem::UserSpace,
        _ => FileSystem::Local,
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn shared_file_systems_are_known_by_their_numbers() {
        assert_eq!(by_magic(0x6969), FileSystem::Network("NFS"));
        assert_eq!(by_magic(0xff53_4d42), FileSystem::Network("SMB"));
        assert_eq!(by_magic(0x6573_5546), FileSystem::UserSpace);
        assert_eq!(by_magic(0xef53), FileSystem::Local);
    }
}
