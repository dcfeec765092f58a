"""What every homeostat process shares. Imports none of the other packages."""
