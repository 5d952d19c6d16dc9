"""What is printed: papers made from values. Knows no request, and asks no database."""
