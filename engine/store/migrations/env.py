"""Run by Alembic: applies the revisions on the connection that `database.migrate` hands over, in its transaction."""
from __future__ import annotations

from alembic import context

from engine.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
