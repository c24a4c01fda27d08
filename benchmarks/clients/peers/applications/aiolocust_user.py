"""A user of aiolocust that sends its next request once it has a response."""

from aiolocust import HttpUser


async def run(user: HttpUser) -> None:
    async with user.client.get("/"):
        pass
