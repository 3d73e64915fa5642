"""As much of D-Bus as asking questions takes (https://dbus.freedesktop.org/doc/)."""
