//! Statements that a connection prepares once, and not each time that they are executed.

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};

/// For a statement that is executed often and of which there are few texts. Diesel prepares each update and what is written in
/// SQL anew, since it cannot know how many texts there may be; on PostgreSQL that is a second round trip each time. As with reads, a
/// migration that changes the type of a column which is returned asks for new connections.
pub(crate) trait Repeated: Sized {
    /// Prepares it once for each connection and text.
    fn prepared_once(self) -> Prepared<Self> {
        Prepared(self)
    }
}

impl<Q> Repeated for Q {}

/// What [`Repeated::prepared_once`] makes of a statement.
pub(crate) struct Prepared<Q>(Q);

/// Known by its text, since statements of one type may have several.
impl<Q> QueryId for Prepared<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Prepared<Q> {
    type SqlType = Q::SqlType;
}

impl<DB: Backend, Q: QueryFragment<DB>> QueryFragment<DB> for Prepared<Q> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use diesel::pg::Pg;
    use diesel::{ExpressionMethods as _, QueryDsl as _};

    use super::*;
    use crate::schema::audit_head;

    #[test]
    fn an_update_is_prepared_once_only_when_that_is_said() {
        let update = || diesel::update(audit_head::table).set(audit_head::seq.eq(audit_head::seq + 1));
        assert!(
            !QueryFragment::<Pg>::is_safe_to_cache_prepared(&update(), &Pg).unwrap(),
            "else there is no need to say it"
        );
        assert!(QueryFragment::<Pg>::is_safe_to_cache_prepared(&update().prepared_once(), &Pg).unwrap());
    }

    #[test]
    fn a_statement_is_known_by_its_text_and_not_by_its_type() {
        fn id_of<Q: QueryId>(_: &Q) -> Option<std::any::TypeId> {
            Q::query_id()
        }
        let select = audit_head::table.select(audit_head::seq);
        assert!(id_of(&select).is_some());
        assert_eq!(id_of(&select.prepared_once()), None);
    }
}
