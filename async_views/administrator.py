"""The first account of the admin, with a random password."""

import secrets

from django.contrib.auth.models import User

NAME = "admin"


def create_administrator() -> str | None:
    """Creates the account and returns its password; None if there is a superuser."""
    if User.objects.filter(is_superuser=True).exists():
        return None
    return reset_administrator()


def reset_administrator() -> str:
    """Gives `admin` a new random password and all permissions; returns the password."""
    password = secrets.token_urlsafe(12)
    administrator, _ = User.objects.get_or_create(username=NAME)
    administrator.is_active = administrator.is_staff = administrator.is_superuser = True
    administrator.set_password(password)
    administrator.save()
    return password
