//! The data folder: `VERSION`, `lock`, `identety.db`, `seal.key`, `admin.json`.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rand::Rng as _;
use rand::rngs::StdRng;
use zeroize::Zeroizing;

/// The layout that this program reads and writes. A newer one is left alone.
const VERSION: u32 = 1;

const DATABASE: &str = "identety.db";
const SEALING_KEY: &str = "seal.key";

/// 256 bits, in the file as 64 hexadecimal digits.
type SealingKey = Zeroizing<[u8; 32]>;

/// Why a folder is no data folder.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The operating system refuses.
    #[error("the data folder {folder} cannot be used: {cause}")]
    Unusable {
        /// The folder.
        folder: String,
        /// What the operating system said.
        cause: io::Error,
    },
    /// A later version of this program wrote it.
    #[error("the data in {folder} are of version {found}, newer than this program ({VERSION})")]
    Newer {
        /// The folder.
        folder: String,
        /// Its version.
        found: u32,
    },
    /// A file in it is not what this program writes.
    #[error("{file} is damaged")]
    Damaged {
        /// The file.
        file: String,
    },
    /// There is none.
    #[error("there is no data folder {folder}; `identety serve` makes it at its first start")]
    Missing {
        /// The folder.
        folder: String,
    },
    /// The key that seals the signing keys is not there, and they are.
    #[error(
        "{file} is missing, and nothing else opens the signing keys in this folder; restore it from a backup"
    )]
    NoSealingKey {
        /// The file.
        file: String,
    },
    /// Another process has it.
    #[error("the data folder {folder} is in use by a running server; stop it first")]
    InUse {
        /// The folder.
        folder: String,
    },
}

/// An opened data folder, held by this process alone.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    /// Held as long as the folder is; the operating system lets go of it when the process ends, however.
    _lock: File,
}

impl DataFolder {
    /// Opens a folder, or makes it.
    pub(crate) fn open(path: &Path) -> Result<Self, DataError> {
        let folder = || path.display().to_string();
        let unusable = |cause| DataError::Unusable { folder: folder(), cause };
        // The database in it holds hashes and sealed keys, which concern nobody else on this machine.
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unusable)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DataError::InUse { folder: folder() }),
            Err(TryLockError::Error(cause)) => return Err(unusable(cause)),
        }
        let opened = Self { path: path.to_owned(), _lock: lock };
        match opened.read("VERSION")? {
            None => opened.write("VERSION", format!("{VERSION}\n").as_bytes())?,
            Some(text) => match text.trim().parse::<u32>() {
                Ok(VERSION) => {}
                Ok(found) if found > VERSION => {
                    return Err(DataError::Newer { folder: folder(), found });
                }
                Ok(_) | Err(_) => return Err(opened.damaged("VERSION")),
            },
        }
        Ok(opened)
    }

    /// Opens a folder that an earlier start has made.
    pub(crate) fn open_existing(path: &Path) -> Result<Self, DataError> {
        if path.join(DATABASE).exists() {
            return Self::open(path);
        }
        Err(DataError::Missing { folder: path.display().to_string() })
    }

    /// Where the embedded store is.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// The key that seals the signing keys, if it is there.
    pub(crate) fn sealing_key(&self) -> Result<Option<SealingKey>, DataError> {
        let Some(text) = self.read(SEALING_KEY)? else { return Ok(None) };
        let text = Zeroizing::new(text);
        let digits = text.trim().as_bytes();
        let damaged = || self.damaged(SEALING_KEY);
        if digits.len() != 64 {
            return Err(damaged());
        }
        let mut key = Zeroizing::new([0; 32]);
        for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| damaged())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| damaged())?;
        }
        Ok(Some(key))
    }

    /// The key that seals the signing keys; made where nothing is sealed yet, and never to replace one
    /// that is lost.
    pub(crate) fn sealing_key_or_new(
        &self,
        is_first: bool,
        rng: &mut StdRng,
    ) -> Result<SealingKey, DataError> {
        match self.sealing_key()? {
            Some(key) => Ok(key),
            None if is_first => self.new_sealing_key(rng),
            None => Err(self.no_sealing_key()),
        }
    }

    fn new_sealing_key(&self, rng: &mut StdRng) -> Result<SealingKey, DataError> {
        let mut key = Zeroizing::new([0; 32]);
        rng.fill_bytes(key.as_mut());
        let digits: Vec<_> = key.iter().map(|byte| format!("{byte:02x}")).collect();
        self.write(SEALING_KEY, Zeroizing::new(digits.concat()).as_bytes())?;
        Ok(key)
    }

    /// The error of a folder that holds signing keys, and not what opens them.
    pub(crate) fn no_sealing_key(&self) -> DataError {
        DataError::NoSealingKey { file: self.file(SEALING_KEY).display().to_string() }
    }

    /// The path of a file of the folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The text of a file, if it is there.
    pub(crate) fn read(&self, name: &str) -> Result<Option<String>, DataError> {
        match fs::read_to_string(self.file(name)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(self.damaged(name)),
            Err(cause) => Err(self.unusable(cause)),
        }
    }

    /// Writes a file that only its owner may read, whole or not at all.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> Result<(), DataError> {
        let written = || -> io::Result<()> {
            let draft = self.file(&format!("{name}.new"));
            let mut options = OpenOptions::new();
            let mut file =
                options.create(true).truncate(true).write(true).mode(0o600).open(&draft)?;
            file.write_all(content)?;
            file.sync_all()?;
            fs::rename(&draft, self.file(name))
        };
        written().map_err(|cause| self.unusable(cause))
    }

    /// The error of a file that makes no sense.
    pub(crate) fn damaged(&self, name: &str) -> DataError {
        DataError::Damaged { file: self.file(name).display().to_string() }
    }

    fn unusable(&self, cause: io::Error) -> DataError {
        DataError::Unusable { folder: self.path.display().to_string(), cause }
    }
}
