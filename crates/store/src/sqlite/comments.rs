//! The port of what people say of servers.

use admin::port::{Comments, KeptComment};
use async_trait::async_trait;
use model::{Change, ServerName, StoreError, Timestamp, limits};

use super::write::{number, to_the_end, unsigned};
use super::{Sqlite, storage};
use crate::entry::Entry;

#[async_trait]
impl Comments for Sqlite {
    async fn comments(&self, server: &ServerName) -> Result<Vec<KeptComment>, StoreError> {
        let rows: Vec<(String, String, i64)> =
            sqlx::query_as("SELECT by, text, at FROM comments WHERE server = ? ORDER BY id")
                .bind(server.as_str())
                .fetch_all(&mut *self.reader().await?)
                .await
                .map_err(storage("read comments"))?;
        let kept = |(by, text, at)| Ok(KeptComment { by, text, at: Timestamp(unsigned(at)?) });
        rows.into_iter().map(kept).collect()
    }

    async fn comment(&self, server: &ServerName, text: String, change: Change) -> Result<(), StoreError> {
        let (store, server) = (self.clone(), server.clone());
        to_the_end(async move {
            let mut writing = store.begin(change).await?;
            writing.needs_server(&server).await?;
            let comments: i64 = sqlx::query_scalar("SELECT count(*) FROM comments WHERE server = ?")
                .bind(server.as_str())
                .fetch_one(writing.rows())
                .await
                .map_err(storage("count comments"))?;
            if usize::try_from(comments).is_ok_and(|comments| comments >= limits::COMMENTS_PER_SERVER_MAX) {
                let max = limits::COMMENTS_PER_SERVER_MAX;
                return Err(StoreError::Refused(format!("server `{server}` has {max} comments, and takes no more")));
            }
            let by = writing.change().actor.to_string();
            let at = writing.change().at.0;
            sqlx::query("INSERT INTO comments (server, by, text, at) VALUES (?, ?, ?, ?)")
                .bind(server.as_str())
                .bind(by)
                .bind(&text)
                .bind(number(at)?)
                .execute(writing.rows())
                .await
                .map_err(storage("keep a comment"))?;
            writing.finish_beside(Entry::commented(&server, &text)).await
        })
        .await
    }
}
