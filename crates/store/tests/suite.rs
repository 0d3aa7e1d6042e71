//! What every backend must do, run on every backend.
//!
//! A backend is a [`cases::Backend`]: somewhere to keep state, which can be opened again and again. One line of
//! `suite!` runs everything on it.

#[cfg(test)]
mod cases;

#[cfg(test)]
mod sqlite {
    use std::path::PathBuf;

    use store::Sqlite;

    /// A database file in a directory of its own.
    pub(crate) struct File {
        _directory: tempfile::TempDir,
        path: PathBuf,
    }

    impl super::cases::Backend for File {
        type Store = Sqlite;

        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            Self { path: directory.path().join("state.db"), _directory: directory }
        }

        async fn open(&self) -> Sqlite {
            Sqlite::open(&self.path).await.unwrap()
        }

        fn revisions(store: &Sqlite) -> tokio::sync::watch::Receiver<model::Revision> {
            store.revisions()
        }
    }

    super::cases::suite!(File);
}
