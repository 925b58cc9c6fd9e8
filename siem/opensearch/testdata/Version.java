class Version {
    public static void main(String[] args) {
        System.exit(Runtime.version().feature() >= 21 ? 0 : 1);
    }
}
