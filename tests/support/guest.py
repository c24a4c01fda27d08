"""A PostgreSQL role for one worker, whose access a test can revoke."""

import uuid
from typing import LiteralString

from psycopg import sql

from async_views.runtime.postgres.database import Connection


class Guest:
    """A role that may or may not log in."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.parameters = {"user": f"guest_{uuid.uuid4().hex}", "password": "guest"}

    async def execute(self, statement: LiteralString) -> None:
        role = sql.Identifier(self.parameters["user"])
        password = sql.Literal(self.parameters["password"])
        await self.connection.execute(sql.SQL(statement).format(role, password))

    async def throw_out(self) -> None:
        await self.execute("ALTER ROLE {} NOLOGIN")
        await self.connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s",
            [self.parameters["user"]],
        )

    async def let_in(self) -> None:
        await self.execute("ALTER ROLE {} LOGIN")
