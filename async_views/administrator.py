"""Who may enter the admin of a new site? One account, with a password nobody chose."""

import secrets

from django.contrib.auth.models import User

NAME = "admin"


def create_administrator() -> str | None:
    """Makes the first account and answers its password; None where there is a superuser."""
    if User.objects.filter(is_superuser=True).exists():
        return None
    return reset_administrator()


def reset_administrator() -> str:
    """Gives `admin` a new random password and every right, and answers the password."""
    password = secrets.token_urlsafe(12)
    administrator, _ = User.objects.get_or_create(username=NAME)
    administrator.is_active = administrator.is_staff = administrator.is_superuser = True
    administrator.set_password(password)
    administrator.save()
    return password
